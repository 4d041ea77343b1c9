"""Families B1 and B2: label values outside [0, 1], or scaled until one class is left."""

from __future__ import annotations

from tests.faults.case import BCE, CCE, ONE_HOT_FILE, SCCE, SPARSE_FILE, Case, changes, head, loss, target

__all__ = ["CASES"]

_GITHUB = "https://github.com/"
_SIGMOID = head("sigmoid")
_GREY_FILE = target(reader="pillow", encoding="single_channel")
_T01 = frozenset({"T01"})
_NOT_AN_ID = frozenset({"T01", "T02", "T04"})

CASES = (
    Case(
        "SO-57200621",
        "https://stackoverflow.com/questions/57200621",
        "B1",
        "The image generator's standardisation was applied to the masks too.",
        _T01,
        "binary_standardised",
        changes(_SIGMOID, _GREY_FILE, loss(BCE)),
    ),
    Case(
        "GH-milesial-78",
        _GITHUB + "milesial/Pytorch-UNet/issues/78",
        "B1",
        "A 0/255 mask goes to binary cross entropy as it is; the loss is -1000 and less.",
        _T01,
        "binary_255",
        changes(_SIGMOID, _GREY_FILE, loss(BCE)),
        states_all=True,
    ),
    Case(
        "GH-milesial-84",
        _GITHUB + "milesial/Pytorch-UNet/issues/84",
        "B1",
        "PNG masks are 0/255 where the GIF palette's indices were 0/1.",
        _T01,
        "binary_255",
        changes(_SIGMOID, target(reader="opencv_gray", encoding="single_channel"), loss(BCE)),
    ),
    Case(
        "GH-sm-71",
        _GITHUB + "qubvel/segmentation_models/issues/71",
        "B1",
        "Brightness augmentation of the masks brought one-hot planes back to 0..255.",
        frozenset({"T01", "T03", "T08"}),
        "three_files",
        changes(head("softmax"), target(reader="pillow", encoding="summed_planes"), loss("jaccard")),
    ),
    Case(
        "GH-smp-234",
        _GITHUB + "qubvel-org/segmentation_models.pytorch/issues/234",
        "B1",
        "Dice of a sigmoid against 0/255 masks: the loss goes to -10.",
        _T01,
        "binary_255",
        changes(_SIGMOID, _GREY_FILE, loss("dice")),
    ),
    Case(
        "GH-smp-256",
        _GITHUB + "qubvel-org/segmentation_models.pytorch/issues/256",
        "B1",
        "Masks were not brought to 0..1 before Dice; IoU above 1.",
        _T01,
        "binary_255",
        changes(_SIGMOID, target(reader="keras_load_img", encoding="single_channel"), loss("dice")),
    ),
    Case(
        "GH-smp-17",
        _GITHUB + "qubvel-org/segmentation_models.pytorch/issues/17",
        "B1",
        "Cross entropy plus Dice on a 0/255 mask: a loss of -3208 and an IoU of 1.16.",
        _T01,
        "binary_255",
        changes(_SIGMOID, _GREY_FILE, loss("bce_dice")),
    ),
    Case(
        "GH-divam-293",
        _GITHUB + "divamgupta/image-segmentation-keras/issues/293",
        "B1",
        "A 0/255 annotation where two classes need ids 0 and 1.",
        _NOT_AN_ID,
        "binary_255",
        changes(head("softmax", "after_reshape"), ONE_HOT_FILE, loss(CCE)),
        states_all=True,
    ),
    Case(
        "ECOM-negloss",
        "https://e-com-net.com/article/1645567613348175872.htm",
        "B1",
        "An index image was processed wrongly: a binary label of 2.",
        _T01,
        "binary_0_2",
        changes(_SIGMOID, _GREY_FILE, loss(BCE)),
    ),
    Case(
        "GH-miscnn-93",
        _GITHUB + "frankkramer-lab/MIScnn/issues/93",
        "B1",
        "0 and 255 are turned to one-hot rows of three.",
        _NOT_AN_ID,
        "binary_255",
        changes(head("softmax", channels=3), ONE_HOT_FILE, loss(CCE)),
    ),
    Case(
        "GH-hlamba-8",
        _GITHUB + "hlamba28/UNET-TGS/issues/8",
        "B1",
        "The division by 255 never happened to the masks.",
        _T01,
        "binary_255",
        changes(_SIGMOID, target(reader="keras_load_img", encoding="single_channel"), loss(BCE)),
        states_all=True,
    ),
    Case(
        "GH-nnunet-1777",
        _GITHUB + "MIC-DKFZ/nnUNet/issues/1777",
        "B1",
        "PNG masks of 0 and 255 where the labels must be 0 and 1.",
        _NOT_AN_ID,
        "binary_255",
        changes(head("linear"), SPARSE_FILE, loss(SCCE, from_logits=True)),
    ),
    Case(
        "GH-nnunet-1678",
        _GITHUB + "MIC-DKFZ/nnUNet/issues/1678",
        "B1",
        "Eight-bit TIFF masks of 0 and 255, with cross entropy and Dice.",
        _NOT_AN_ID,
        "binary_255_tiff",
        changes(head("linear"), ONE_HOT_FILE, loss("cce_dice", from_logits=True)),
    ),
    Case(
        "GH-wassname-1",
        _GITHUB + "wassname/pipe-segmentation/issues/1",
        "B1",
        "A channel shift meant for images moved the mask's background to 20 before rescaling.",
        frozenset({"T01", "T08"}),
        "binary_shifted",
        changes(_SIGMOID, _GREY_FILE, target(scale="divide_255"), loss(BCE)),
    ),
    Case(
        "GH-tfsegnet-4",
        _GITHUB + "tkuanlun350/Tensorflow-SegNet/issues/4",
        "B2",
        "matplotlib reads an 8-bit PNG of ids as floats of 0..1, so every id becomes 0.",
        frozenset({"T06", "T07", "T08", "T11"}),
        "five",
        changes(
            head("linear"),
            target(reader="matplotlib", encoding="sparse", dtype="int32"),
            loss(SCCE, from_logits=True),
        ),
    ),
    Case(
        "GH-mmseg-1714",
        _GITHUB + "open-mmlab/mmsegmentation/issues/1714",
        "B2",
        "The background was sent to the ignored value, so all that is learnt is the object.",
        frozenset({"T06", "T07", "T11"}),
        "binary_background_ignored",
        changes(head("linear"), SPARSE_FILE, loss(SCCE, from_logits=True, ignore_class=255)),
    ),
)
