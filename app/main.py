"""The router: which pages there are, and nothing else.

`earwitness app` serves it. `streamlit run app/main.py` serves the same, behind the same gate: Streamlit looks for an `st.App` in
the file, and where it finds one, imports it as a server; each run of a page then runs the file as a script.
"""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # `streamlit run` puts only app/ on the path
    sys.path.insert(0, str(ROOT))

from app.panels import exposure  # noqa: E402
from app.panels.style import dress, icon, wordmark  # noqa: E402
from app.session import jobs, navigation, opening  # noqa: E402

PAGES = (
    ("examine.py", "Examine", ":material/travel_explore:"),
    ("claim.py", "Claim", ":material/fact_check:"),
    ("soundscapes.py", "Soundscapes", ":material/graphic_eq:"),
    ("atoms.py", "Atoms", ":material/blur_on:"),
    ("archive.py", "Archive", ":material/inventory_2:"),
    ("learn.py", "Learn", ":material/school:"),
    ("models.py", "Models", ":material/deployed_code:"),
)


def main() -> None:
    """Show the page chosen."""
    st.set_page_config(page_title="Earwitness", page_icon=icon(), layout="wide", initial_sidebar_state="collapsed")
    folder = Path(__file__).parent / "pages"
    found = [(folder / file, title, icon) for file, title, icon in PAGES if (folder / file).is_file()]
    pages = [st.Page(path, title=title, icon=icon, default=at == 0) for at, (path, title, icon) in enumerate(found)]
    page = st.navigation(pages, position="top")
    dress()
    exposure.warn()
    if Path(sys.argv[0]).resolve().parent == Path(__file__).resolve().parent and len(sys.argv) > 1:
        opening.opened_with(sys.argv[1])
    navigation.turn()
    st.logo(wordmark(), size="large")
    page.run()


if __name__ == "__main__":
    main()
else:
    from app.server.parts import print_address, server_parts

    streamlit_app = st.App(__file__, **server_parts(print_address, jobs.leave))
