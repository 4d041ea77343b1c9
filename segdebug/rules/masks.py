"""Rules on the mask files themselves: what they hold, how sure it is what that means, and what a reader loses.

What was repaired or guessed while reading is a note as long as the labels as fed are right all the same.
"""

from __future__ import annotations

from typing import Any

from segdebug.rules.catalogue import Noticed, rule
from segdebug.rules.known import Known, SceneFacts
from segdebug.rules.loading import loading_code
from segdebug.scene import FileReport

__all__: list[str] = []

_SURE = 0.9
_SHOWN = 4  # files, values or alternatives in one line of evidence
_SMALL_ID = 40
_BYTE = 255
_AT_THE_LABELS = ("T12", "T10", "T08", "T07", "T06", "T04", "T02", "T01")
_LOSSY = ("JPEG", "MPO")
_SMOOTHED = ("binary_threshold", "edge_values", "repaired")
_NEAREST = "small = mask.resize((256, 256), Image.Resampling.NEAREST)  # never bilinear, and saved as PNG"
_PALETTE_READERS = ("pillow_l", "opencv_gray", "opencv_color", "tensorflow", "keras_load_img", "matplotlib")


def _warned(file: FileReport, *codes: str) -> bool:
    return any(warning.code in codes for warning in file.warnings)


def _lossy(file: FileReport) -> bool:
    moved = file.repaired > 0 or _warned(file, "binary_threshold")
    return file.format in _LOSSY or _warned(file, "lossy") or (file.format == "WEBP" and moved)


def _named(files: list[FileReport]) -> list[str]:
    """The first few files by name, and how many more there are."""
    more = [f"{len(files) - _SHOWN} more"] if len(files) > _SHOWN else []
    return [file.name for file in files[:_SHOWN]] + more


def _harmed(known: Known) -> bool:
    """Whether the labels as fed, which a library reads, are not the scene's."""
    labels = known.labels
    if labels is None or known.experiment.target.reader == "scene":
        return False
    return labels.error is not None or labels.wrong > 0 or labels.out_of_range > 0 or labels.between > 0


@rule(
    "M01",
    stage="masks",
    severity="note",
    title="What the mask values mean is a guess",
    matters="The same values can mean different things: 255 is foreground, void or a class of its own, and 0 is "
    "background or the first class. Everything that is said of labels and scores rests on this reading. Look at the "
    "class table, and say what the masks are where it is wrong.",
    example="A mask of 0, 1, 2 and 255 without class names.",
    instead="Say what the masks are, and which value is unlabelled, under the uploaded files.",
    silent="Files that can mean one thing only, and those whose meaning was stated.",
)
def guessed(known: Known) -> Noticed | None:
    """How sure it is what the values of each mask file stand for."""
    scene = known.scene
    if scene is None or scene.confidence >= _SURE:
        return None
    unsure = [file for file in scene.files if file.confidence < _SURE] or list(scene.files)
    evidence: dict[str, Any] = {
        "files": _named(unsure),
        "read as": scene.encoding,
        "confidence, 0 to 1": scene.confidence,
    }
    if unsure and unsure[0].reasons:
        evidence["because"] = "; ".join(unsure[0].reasons)
    if unsure and unsure[0].alternatives:
        evidence["or, with confidence"] = [
            f"{other.words} ({other.confidence:.2f})" for other in unsure[0].alternatives[:_SHOWN]
        ]
    return Noticed(evidence)


@rule(
    "M02",
    stage="masks",
    severity="note",
    title="A mask was saved with loss",
    matters="JPEG keeps what the eye sees, not the numbers. Along every border it writes values that no class has, "
    "and a loader that takes them as they are gets classes that are not there. The damage cannot be undone, only "
    "guessed back to the nearest class.",
    example="A 0/255 mask saved as JPEG holds 3, 7, 250 and 252 as well.",
    instead="Export the mask again as PNG. A binary one can be cut in two at half its range.",
    silent="PNG, TIFF and other files without loss; a JPEG of one flat value.",
    explained_by=_AT_THE_LABELS,
)
def saved_with_loss(known: Known) -> Noticed | None:
    """Whether a mask file went through a lossy format that changed its values."""
    scene = known.scene
    damaged = [] if scene is None else [file for file in scene.files if _lossy(file) and _moved(file, scene)]
    if scene is None or not damaged:
        return None
    return _repaired(known, scene, damaged, "mask = (np.array(Image.open(path).convert('L')) > 127).astype('uint8')")


def _moved(file: FileReport, scene: SceneFacts) -> bool:
    return file.repaired > 0 or file.n_distinct > max(2, len(scene.names))


def _repaired(known: Known, scene: SceneFacts, files: list[FileReport], binary: str) -> Noticed:
    """What was put right in these files: a warning where the labels as fed were not."""
    evidence: dict[str, Any] = {
        "files": _named(files),
        "format": sorted({file.format for file in files}),
        "distinct values in the first": files[0].n_distinct,
        "classes": len(scene.names),
    }
    if any(file.repaired for file in files):
        evidence["pixels moved to the nearest code"] = sum(file.repaired for file in files)
    code = binary if scene.encoding == "binary" else "# export the mask again as PNG, one exact value a class"
    if not _harmed(known):
        return Noticed(evidence, code=code)
    assert known.labels is not None
    evidence["labelled pixels that say another class"] = known.labels.wrong
    return Noticed(evidence, dict(known.labels.remedy or {}), code, severity="warning")


@rule(
    "M03",
    stage="masks",
    severity="note",
    title="A mask holds values between its classes",
    matters="Smoothed edges and resizing by averages write values that lie between two classes. Read as ids they are "
    "classes that nobody drew, in a thin line along every border.",
    example="A 0/255 mask drawn with antialiasing; an id mask that was made smaller with the default filter.",
    instead="Draw and resize masks without smoothing, by the nearest pixel.",
    silent="Values that are classes of their own; soft masks that were stated to be so.",
    explained_by=_AT_THE_LABELS,
)
def smoothed(known: Known) -> Noticed | None:
    """Whether a file without loss holds values between the codes of its classes, which reading had to repair."""
    scene = known.scene
    if scene is None or scene.encoding == "soft":
        return None
    between = [file for file in scene.files if not _lossy(file) and (file.repaired or _warned(file, *_SMOOTHED))]
    if not between:
        return None
    noticed = _repaired(known, scene, between, "mask = (np.array(Image.open(path).convert('L')) > 127).astype('uint8')")
    return Noticed(noticed.evidence, noticed.changes, f"{noticed.code}\n{_NEAREST}", noticed.severity)


@rule(
    "M04",
    stage="masks",
    severity="note",
    title="255 may be void and not a class",
    matters="Many data sets write 255 along the borders of objects, where nobody was sure. Counted as a class it "
    "makes a thin one that cannot be learnt, and it moves the numbers of the others.",
    example="Values 0, 1, 2 and 255, where 255 is a line around each object.",
    instead="State 255 as the unlabelled value, and leave those pixels out of the loss.",
    silent="A mask of 0 and 255 whose 255 fills areas; a 255 that was read as unlabelled.",
)
def void_as_class(known: Known) -> Noticed | None:
    """Whether a class is written as 255 beside small ids, or as a 255 that may as well be unlabelled."""
    scene = known.scene
    if scene is None or _BYTE not in scene.codes or scene.encoding == "planes":
        return None
    others = [code for code in scene.codes if isinstance(code, int) and code != _BYTE]
    small = len(others) >= 2 and max(others) <= _SMALL_ID
    asked = scene.confidence < _SURE and any(o.ignore == _BYTE for file in scene.files for o in file.alternatives)
    pixels = int(scene.pixels_in_file[scene.codes.index(_BYTE)])
    if not pixels or not (small or asked):
        return None
    every = int(scene.pixels_in_file.sum())
    return Noticed(
        {
            "pixels of 255": pixels,
            "that is, of all": pixels / max(1, every),
            "the other values": sorted(others)[: 2 * _SHOWN],
        },
        code="weight = (mask != 255).astype('float32')  # sample_weight: 0 where unlabelled",
    )


@rule(
    "M05",
    stage="masks",
    severity="warning",
    title="The reader loses the palette's indices",
    matters="A palette file holds class ids and, beside them, a colour for each. This reader gives the colours, or "
    "their brightness, and the ids are gone. Two classes may even come out as the same grey.",
    example="A Pascal VOC mask through cv2.imread or tf.io.decode_image.",
    instead="np.array(Image.open(path)): Pillow keeps the indices of a palette file.",
    silent="Files without a palette; readers that keep the indices; palettes whose greys are their indices.",
    references=("https://pillow.readthedocs.io/en/stable/handbook/concepts.html#palette",),
    explained_by=("T12", "T10", "T07", "T06", "T04", "T02", "T01"),
)
def palette_lost(known: Known) -> Noticed | None:
    """Whether a mask file has a palette, and the reader of choice turned its indices into something else."""
    scene, target = known.scene, known.experiment.target
    if scene is None or known.labels is None or target.reader not in _PALETTE_READERS:
        return None
    files = [file for file in scene.files if file.mode in ("P", "PA")]
    if not files or scene.encoding == "colour" or not (_harmed(known) or known.labels.kind == "mismatch"):
        return None
    evidence: dict[str, Any] = {
        "palette files": _named(files),
        "indices in the first": list(files[0].distinct[: 2 * _SHOWN]),
        "reader": target.reader,
    }
    if known.labels.wrong > 0:
        evidence["labelled pixels that then say another class"] = known.labels.wrong
    return Noticed(evidence, {"target.reader": "pillow"}, "mask = np.array(Image.open(path))  # indices, not colours")


@rule(
    "M06",
    stage="masks",
    severity="warning",
    title="The masks show one class only",
    matters="Every labelled pixel belongs to the same class. A network learns to say it everywhere within a few "
    "steps, and that says nothing about the configuration. A mask of 0 and 1 that was divided by 255 and saved "
    "again looks just like this.",
    example="A file of zeros beside a picture with an object.",
    instead="Open the mask file in an editor, and take a picture that shows two classes at least.",
    silent="Masks in which a second class has pixels, however few.",
)
def one_class(known: Known) -> Noticed | None:
    """Whether a single class has all the labelled pixels in the files."""
    scene = known.scene
    if scene is None or scene.overlapping or not scene.files:
        return None
    present = [c for c in range(len(scene.names)) if scene.pixels_in_file[c] > 0]
    if len(present) != 1:
        return None
    values = {value for file in scene.files for value in file.distinct}
    evidence: dict[str, Any] = {
        "the class": scene.names[present[0]],
        "its pixels": int(scene.pixels_in_file[present[0]]),
        "classes without a pixel": [scene.names[c] for c in range(len(scene.names)) if c != present[0]],
        "values in the files": sorted(values, key=str)[: 2 * _SHOWN],
    }
    return Noticed(evidence, severity=None if len(scene.names) > 1 else "note")


@rule(
    "M07",
    stage="masks",
    severity="note",
    title="A mask is turned by its EXIF data",
    matters="The file says that its pixels are to be turned before they are shown. Some readers do that and some do "
    "not. Where picture and mask are treated differently, the labels lie beside what they belong to.",
    example="A phone's photograph and a mask exported from it, one of them turned by the program that saved it.",
    instead="ImageOps.exif_transpose on both, or both saved again upright.",
    silent="Masks without an orientation, or whose orientation is upright.",
    explained_by=_AT_THE_LABELS,
)
def turned(known: Known) -> Noticed | None:
    """Whether a mask carries an orientation other than upright, and whether the reader of choice leaves it so."""
    scene = known.scene
    files = [] if scene is None else [file for file in scene.files if _warned(file, "mask_turned")]
    if not files:
        return None
    evidence: dict[str, Any] = {"files": _named(files), "reader": known.experiment.target.reader}
    code = "mask = np.array(ImageOps.exif_transpose(Image.open(path)))"
    if not _harmed(known):
        return Noticed(evidence, code=code)
    assert known.labels is not None
    evidence["labelled pixels that then say another class"] = known.labels.wrong
    return Noticed(evidence, {"target.reader": "scene"}, code, severity="warning")


@rule(
    "M08",
    stage="masks",
    severity="note",
    title="Foreground and background may be exchanged",
    matters="What is called foreground surrounds the rest and reaches every edge of the picture; what is called "
    "background lies inside it. Some tools write the object in black. The network learns either way, but the scores "
    "are those of the background.",
    example="A black object on white, saved as a mask.",
    instead="mask = 255 - mask, if the object is the black part.",
    silent="Objects that are cut by the edge of the picture; masks with more than two classes.",
)
def inverted(known: Known) -> Noticed | None:
    """Whether the foreground of a binary mask has nearly all of the picture's edge and most of its pixels, and the
    background nearly none of the edge."""
    scene = known.scene
    if scene is None or scene.encoding != "binary" or len(scene.names) != 2 or len(scene.rim) != 2:
        return None
    share = float(scene.frequencies[1])
    if not (scene.pixels > 0).all() or scene.rim[1] < 0.9 or share < 0.6:
        return None
    evidence = {
        "foreground, of the labelled pixels": share,
        "foreground, of the picture's edge": scene.rim[1],
        "background, of the picture's edge": scene.rim[0],
    }
    return Noticed(evidence, code="mask = 255 - mask  # if the object is the black part")


@rule(
    "M09",
    stage="masks",
    severity="warning",
    title="Ids above 255 in 8 bits",
    matters="A byte holds 0 to 255. Ids above that need 16 bits all the way: a reader or a cast to uint8 clips them, "
    "divides them or starts again at 0, and different classes become one.",
    example="Label × 1000 + instance, read with convert('L').",
    instead="np.array(Image.open(path)) for a 16-bit PNG, and an integer type of 32 bits.",
    silent="16-bit files that are read and kept as such.",
    explained_by=_AT_THE_LABELS,
)
def beyond_a_byte(known: Known) -> Noticed | None:
    """Whether a file holds ids above 255, and reader or dtype leave only 8 bits of them."""
    scene, experiment = known.scene, known.experiment
    if scene is None or known.labels is None:
        return None
    largest = max((value for file in scene.files for value in file.distinct if isinstance(value, int)), default=0)
    narrow = experiment.target.dtype == "uint8" and len(scene.names) > _BYTE + 1
    if largest <= _BYTE or not (narrow or _harmed(known)):
        return None
    changes: dict[str, Any] = {"target.reader": "scene"} if experiment.target.reader != "scene" else {}
    if narrow:
        changes["target.dtype"] = "int32"
    evidence = {
        "largest value in the files": largest,
        "reader": experiment.target.reader,
        "labelled pixels that then say another class": known.labels.wrong,
    }
    return Noticed(evidence, changes, loading_code(changes, experiment, scene))
