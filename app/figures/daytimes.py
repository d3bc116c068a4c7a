"""Which times of a year fit a marked shadow at one place: day by hour."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from engine.analysis import sun


def daytimes(fit: sun.Fit, dark: bool, height_px: int = 220) -> go.Figure:
    """Days across, hours of the place's own clock upwards; the fuller the colour, the better the fit; grey: the sun is down."""
    night = np.where(np.isnan(fit.fit), 1.0, np.nan)
    days = [f"{d:%Y-%m-%d}" for d in fit.days]
    grey = "#31363f" if dark else "#d5d8dc"
    common = {"x": days, "y": fit.hours, "showscale": False, "hoverinfo": "skip"}
    figure = go.Figure()
    figure.add_trace(go.Heatmap(z=night.T, colorscale=[[0, grey], [1, grey]], **common))
    full = "#63aaeb" if dark else "#0062be"
    figure.add_trace(
        go.Heatmap(
            z=fit.fit.T,
            zmin=0.0,
            zmax=1.0,
            colorscale=[[0, "rgba(0,0,0,0)"], [1, full]],
            x=days,
            y=fit.hours,
            showscale=False,
            hovertemplate="%{x}, %{y:.1f} h: %{z:.0%} of the best fit<extra></extra>",
        )
    )
    figure.update_xaxes(tickformat="%b", dtick="M1", fixedrange=True, showgrid=False)
    figure.update_yaxes(
        range=[0, 24], tickvals=[0, 6, 12, 18, 24], ticktext=[f"{h:02d}:00" for h in (0, 6, 12, 18, 24)],
        fixedrange=True, showgrid=False,
    )  # fmt: skip
    figure.update_layout(
        height=height_px,
        margin={"l": 46, "r": 8, "t": 6, "b": 24},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"size": 11},
    )
    return figure
