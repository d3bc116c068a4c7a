"""The cards of all models that come with the program or may be fetched: who made them, under which licence, by which hash.

The one place that knows these facts; a result names every model that spoke by its card.
"""

from __future__ import annotations

from engine.core.card import Card

CUE_TABLE = Card(
    "cue-table",
    "Table of cues",
    "states where cues ticked by an analyst are more likely; areas name their sources, ratios are estimates fitted as a whole",
    "Apache-2.0",
    "Earwitness, assets/cues/cues.csv",
)
SUN = Card(
    "sun-spa",
    "Position of the sun",
    "computes where the sun stands, and at which places and times a marked shadow can fall",
    "BSD-3-Clause (pvlib), MIT (tzfpy)",
    "a computation of Earwitness, no network; Reda & Andreas 2004, Solar Energy 76(5), as implemented by pvlib (Anderson et al. "
    "2023, JOSS 8(92), 5994); time zones by tzfpy from the outlines of timezone-boundary-builder (ODbL)",
)
BIRDNET = Card(
    "birdnet-v2.4",
    "BirdNET v2.4",
    "detects species in windows of 3 seconds (6,522 classes)",
    "CC BY-NC-SA 4.0",
    "K. Lisa Yang Center for Conservation Bioacoustics, Cornell Lab of Ornithology, and Chemnitz University of Technology; "
    "Kahl et al. 2021, Ecological Informatics 61, 101236",
    "55f3e4055b1a13bfa9a2452731d0d34f6a02d6b775a334362665892794165e4c",
    non_commercial=True,
)
BIRDNET_RANGE = Card(
    "birdnet-v2.4-range-v2",
    "BirdNET v2.4 range model, version 2",
    "predicts how likely each species is recorded at a place, by week or year-round",
    "CC BY-NC-SA 4.0",
    "as BirdNET v2.4; trained on eBird checklist frequencies",
    "1226f23fc20362617deb09178f366111b70cf085c2c82893f2814e5acedce6c2",
    non_commercial=True,
)
SOUND_KINDS = Card(
    "sound-kinds",
    "Kinds of sound",
    "tells animals, music, voices and machines apart, window by window",
    "CC BY-NC-SA 4.0",
    "trained for Earwitness on BirdNET's logits of recordings and labelled sounds; each is named in "
    "assets/models/sound_kinds.csv with its author and licence",
    non_commercial=True,
)
AGCLIP = Card(
    "agclip-birdnet",
    "AG-CLIP on BirdNET's scores",
    "turns the species scores of a sound into a vector that is compared with places",
    "CC BY-NC-SA 4.0",
    "trained for Earwitness on simulated soundscapes from BirdNET's models, whose licence it inherits; "
    "after Chasmai et al. 2025, arXiv 2505.18726",
    non_commercial=True,
)
AGCLIP_IMAGES = Card(
    "agclip-mobilenetv3",
    "AG-CLIP on spectrograms",
    "turns sound into a vector that is compared with places",
    "as stated with the checkpoint that was given",
    "Chasmai et al. 2025, arXiv 2505.18726",
    included=False,
)
GEOCLIP_LOCATION = Card(
    "geoclip-location",
    "GeoCLIP location encoder",
    "turns a place into a vector",
    "MIT",
    "Vivanco Cepeda et al. 2023, NeurIPS 36",
    "94b80ae3af89fca78539e129dd2929d321247f5ceeeb0a31bc2c31041a253394",
)
GEOCLIP = Card(
    "geoclip",
    "GeoCLIP with CLIP ViT-L/14",
    "compares a picture with places",
    "MIT",
    "Vivanco Cepeda et al. 2023, NeurIPS 36; CLIP: Radford et al. 2021, OpenAI",
    files=(
        ("image_encoder_mlp_weights.pth", "5342c391eec961796d04d02f2bd670bfa97b34ce32c656d0e0676581103c2c14"),
        ("logit_scale_weights.pth", "9568e2e09dd19083082bf285b2c0c126867e40dbd275a8ee8c621888b861904e"),
    ),
    included=False,
)
HUM = Card(
    "hum-comb",
    "Mains hum by its multiples",
    "detects mains hum of 50 or 60 Hz in the sound",
    "Apache-2.0",
    "a computation of Earwitness, no network; supplies by country: International Electrotechnical Commission",
)
TONES = Card(
    "steady-lines",
    "Machines' tones",
    "finds tones too steady for an animal and removes them before the search for species",
    "Apache-2.0",
    "a computation of Earwitness, no network; after McAulay & Quatieri 1986, IEEE Trans. ASSP 34(4)",
)
ATOMS = Card(
    "atoms-sae",
    "Acoustic atoms",
    "separates the sound into everyday sounds (28 labels)",
    "Apache-2.0",
    "trained for Earwitness on free recordings, listed in its card; after Su & Liu 2026, arXiv 2603.05708",
)
SOUNDTRACK = Card(
    "soundtrack",
    "Remarks on the soundtrack",
    "detects digital silence, copied passages, long reverberation, music, voice-over",
    "Apache-2.0",
    "computations of Earwitness, no network",
)
SILERO = Card(
    "silero-vad-6.2",
    "Silero VAD 6.2",
    "detects speech",
    "MIT",
    "Silero Team, github.com/snakers4/silero-vad",
    "9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85",
)
WHISPER_BASE = Card(
    "whisper-base",
    "Whisper base",
    "identifies the spoken language and writes down what is said",
    "MIT",
    "Radford et al. 2022, OpenAI; converted for CTranslate2 by Systran",
    brings="the language that is spoken and the places named aloud",
    included=False,
)
WHISPER_SMALL = Card(
    "whisper-small",
    "Whisper small",
    "the same as Whisper base, larger and slower; used where both are there",
    "MIT",
    "Radford et al. 2022, OpenAI; converted for CTranslate2 by Systran",
    brings="the language that is spoken and the places named aloud, with fewer mistakes than Whisper base",
    included=False,
)
EFFICIENTNET = Card(
    "efficientnet-lite0",
    "EfficientNet-Lite0",
    "recognises animals and objects in frames (ImageNet's classes)",
    "Apache-2.0",
    "Tan & Le 2019; Lite variants by R. Liu, Google; converted by ML Illustrated",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)
STREETCLIP = Card(
    "streetclip",
    "StreetCLIP",
    "compares a picture with countries",
    "CC BY-NC 4.0",
    "Haas, Alberti, Skreta 2023, arXiv 2302.00275",
    non_commercial=True,
    brings="the countries that a picture looks like",
    figure="its authors report 22, 37, 61 and 80% of the Im2GPS3k test photos within 25, 200, 750 and 2,500 km "
    "(Haas et al. 2023, arXiv 2302.00275)",
    included=False,
)
OCR = Card(
    "PP-OCRv6-small",
    "PP-OCRv6 small, through RapidOCR",
    "finds and reads text in frames",
    "Apache-2.0",
    "PaddlePaddle authors; RapidAI",
    files=(
        ("PP-OCRv6_det_small.onnx", "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f"),
        ("PP-OCRv6_rec_small.onnx", "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884"),
        ("ch_ppocr_mobile_v2.0_cls_mobile.onnx", "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c"),
    ),
)
TESSERACT = Card(
    "tesseract-5-fast-4.1",
    "Tesseract 5, fast models 4.1.0",
    "reads Cyrillic, Greek, Arabic, Hebrew, Thai, Devanagari and Hangul in frames",
    "Apache-2.0",
    "Ray Smith and others, Google, github.com/tesseract-ocr/tessdata_fast, as packed by Debian (4.1.0); through tesserocr",
    files=(
        ("ara.traineddata", "e3206d3dc87fd50c24a0fb9f01838615911d25168f4e64415244b67d2bb3e729"),
        ("ell.traineddata", "4fba8a0b461038d51f1c20d043d4f2ac38c4e778f1b90830847f7bd8fa3ba726"),
        ("fas.traineddata", "db1c0a91208aff00d3cf1ed2c1d23f76419afd5f024688b4f71adc3f2ce4a505"),
        ("heb.traineddata", "11f9e43ab227f786352a50f75c94c2e9906f1baba86d93276da19da7ce0904db"),
        ("hin.traineddata", "4c73ffc59d497c186b19d1e90f5d721d678ea6b2e277b719bee4e2af12271825"),
        ("kor.traineddata", "6b85e11d9bbf07863b97b3523b1b112844c43e713df8b66418a081fd1060b3b2"),
        ("rus.traineddata", "e16e5e036cce1d9ec2b00063cf8b54472625b9e14d893a169e2b0dedeb4df225"),
        ("srp.traineddata", "aa41ae3d9cc705e60d398ab38a5c3cc8b772c0d420c7d4f0859beb13d0e321b6"),
        ("tha.traineddata", "294227cc2d1292b0acb28d61d4115c88252b96d466ca90b417cf4cf0c67bf07c"),
        ("ukr.traineddata", "d59e53e2bded32f4445f124b4b00240fcac7e8044c003ab822ccb94f0b3db59b"),
        ("urd.traineddata", "62e8250ce2a994106e313a82e26a516a39e2cf159d0ce3c5b5008387fd0d555f"),
    ),
)
LINGUA = Card(
    "lingua-2-trigrams",
    "lingua, trigram models",
    "identifies the language of a text",
    "Apache-2.0",
    "Peter M. Stahl",
)
FLOW = Card(
    "flow-s2",
    "Flow on the sphere",
    "samples places that fit the evidence; a second opinion",
    "CC BY-NC-SA 4.0",
    "trained for Earwitness on simulated clips from BirdNET's models, whose licence it inherits; "
    "after Su & Liu 2026, arXiv 2603.05708",
    non_commercial=True,
)
CLIP_TEXT = Card(
    "clip-text",
    "CLIP ViT-L/14, text encoder",
    "turns words into a vector that is compared with pictures and places",
    "MIT",
    "Radford et al. 2021, OpenAI",
    included=False,
)
CLIP_LOCATABILITY = Card(
    "clip-locatability",
    "Locatability of frames on CLIP",
    "selects the frames worth analysing",
    "as stated with the head that was given",
    "trained by the user: earwitness lab locatability",
    included=False,
)
CLIP = Card(
    "clip-vit-large-patch14",
    "CLIP ViT-L/14",
    "locates pictures by their appearance, through GeoCLIP",
    "MIT",
    "Radford et al. 2021, OpenAI",
    brings="a location for pictures without any writing, through GeoCLIP",
    figure="GeoCLIP's authors report 14, 34, 51, 70 and 84% of the Im2GPS3k test photos within 1, 25, 200, 750 and 2,500 km "
    "(Vivanco Cepeda et al. 2023, arXiv 2309.16020)",
    included=False,
)
CLIP_TOKENS = Card(
    "clip-vit-large-patch14-text",
    "CLIP ViT-L/14, tokens",
    "tokens for text search of soundscapes, together with CLIP ViT-L/14",
    "MIT",
    "Radford et al. 2021, OpenAI",
    brings="a search of soundscapes by words",
    included=False,
)
QWEN_3B = Card(
    "qwen2.5-vl-3b",
    "Qwen2.5-VL 3B",
    "reasons about the place in words (small)",
    "Qwen Research Licence",
    "Qwen team, Alibaba, 2025",
    non_commercial=True,
    brings="an argument in words about what is seen",
    included=False,
)
QWEN_7B = Card(
    "qwen2.5-vl-7b",
    "Qwen2.5-VL 7B",
    "reasons about the place in words (large)",
    "Apache-2.0",
    "Qwen team, Alibaba, 2025",
    included=False,
)
CONTAINER = Card(
    "container",
    "The file's own tags",
    "states a place or a time; anybody can write them",
    "Apache-2.0",
    "reading of Earwitness, no network",
)

CARDS = (
    CUE_TABLE,
    SUN,
    BIRDNET,
    BIRDNET_RANGE,
    SOUND_KINDS,
    AGCLIP,
    AGCLIP_IMAGES,
    GEOCLIP_LOCATION,
    GEOCLIP,
    HUM,
    TONES,
    ATOMS,
    SOUNDTRACK,
    SILERO,
    WHISPER_BASE,
    WHISPER_SMALL,
    EFFICIENTNET,
    STREETCLIP,
    OCR,
    TESSERACT,
    LINGUA,
    FLOW,
    CLIP_TEXT,
    CLIP_LOCATABILITY,
    CONTAINER,
    CLIP,
    CLIP_TOKENS,
    QWEN_3B,
    QWEN_7B,
)
"""Every card, in the order in which they are listed."""
