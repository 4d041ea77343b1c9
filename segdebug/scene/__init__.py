"""Picture and mask files to a `Scene`: what each pixel really is, and how surely the files say so."""

from __future__ import annotations

from segdebug.scene.encodings import ENCODINGS
from segdebug.scene.limits import MAX_CLASSES, MAX_FILE_BYTES, MAX_MASK_FILES, MAX_PIXELS, display_name
from segdebug.scene.model import VOID, Alternative, FileReport, GridScene, Scene, SceneClass, SceneWarning, SourceFile
from segdebug.scene.read import read_scene
from segdebug.scene.samples import SampleInfo, load_sample, sample_info, sample_names
from segdebug.scene.source import Readable

__all__ = [
    "ENCODINGS",
    "MAX_CLASSES",
    "MAX_FILE_BYTES",
    "MAX_MASK_FILES",
    "MAX_PIXELS",
    "VOID",
    "Alternative",
    "FileReport",
    "GridScene",
    "Readable",
    "SampleInfo",
    "Scene",
    "SceneClass",
    "SceneWarning",
    "SourceFile",
    "display_name",
    "load_sample",
    "read_scene",
    "sample_info",
    "sample_names",
]
