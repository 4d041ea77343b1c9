"""Families B3 and B4: ids that the head has no channel for, and unlabelled pixels that are learnt."""

from __future__ import annotations

from tests.faults.case import BCE, CCE, ONE_HOT_FILE, SCCE, SPARSE_FILE, Case, changes, head, loss, target

__all__ = ["CASES"]

_GITHUB = "https://github.com/"
_SAGIEPPEL = "Fully-convolutional-neural-network-FCN-for-semantic-segmentation-Tensorflow-implementation"
_LOGITS = changes(head("linear"), SPARSE_FILE, loss(SCCE, from_logits=True))
_T04 = frozenset({"T04"})
_TOO_FEW = frozenset({"T02", "T04", "T11", "T12"})

CASES = (
    Case(
        "GH-liut969-1",
        _GITHUB + "liut969/Whole-Heart-Segmentation/issues/1",
        "B3",
        "A 16-bit label of 65535 was not mapped to 1.",
        _T04,
        "binary_16_bit",
        _LOGITS,
    ),
    Case(
        "GH-sagieppel-1",
        f"{_GITHUB}sagieppel/{_SAGIEPPEL}/issues/1",
        "B3",
        "One output channel for object and background under a sparse softmax loss.",
        frozenset({"H09", "T04", "T12"}),
        "binary_01",
        changes(SPARSE_FILE, head("linear", channels=1), loss("sparse_softmax_cross_entropy_with_logits")),
        states_all=True,
    ),
    Case(
        "GH-divam-43",
        _GITHUB + "divamgupta/image-segmentation-keras/issues/43",
        "B3",
        "Two classes were configured; the masks have more.",
        _TOO_FEW,
        "five",
        changes(head("softmax", "after_reshape", channels=2), ONE_HOT_FILE, loss(CCE)),
        states_all=True,
    ),
    Case(
        "GH-nicolov-26",
        _GITHUB + "nicolov/segmentation_keras/issues/26",
        "B3",
        "A conversion spoilt the palette masks: values beyond the last class.",
        frozenset({"T04", "T07"}),
        "five_palette",
        changes(head("softmax"), SPARSE_FILE, target(reader="pillow_l"), loss(SCCE)),
    ),
    Case(
        "GH-kerasio-313",
        "https://github.com/keras-team/keras-io/pull/313",
        "B3",
        "Trimap ids 1 to 3 were fed as they are, to four channels.",
        frozenset({"T05", "T12"}),
        "three_one_based",
        changes(head("softmax", channels=4), SPARSE_FILE, target(layout="trailing_axis"), loss(SCCE)),
        states_all=True,
    ),
    Case(
        "GH-miscnn-145",
        _GITHUB + "frankkramer-lab/MIScnn/issues/145",
        "B3",
        "A new edition of the data has four labels; three were configured.",
        _TOO_FEW,
        "four",
        changes(head("softmax", channels=3), ONE_HOT_FILE, loss(CCE)),
    ),
    Case(
        "GH-bnsreenu-37",
        _GITHUB + "bnsreenu/python_for_microscopists/issues/37",
        "B3",
        "Five classes in the masks, three in the model.",
        _TOO_FEW,
        "five",
        changes(head("softmax", channels=3), ONE_HOT_FILE, loss(CCE)),
    ),
    Case(
        "GH-chenxi-17",
        _GITHUB + "chenxi116/DeepLabv3.pytorch/issues/17",
        "B3",
        "Street scene ids up to 33 where the 19 training ids were meant.",
        frozenset({"T04", "T07"}),
        "five_street_ids",
        changes(_LOGITS, head("linear", channels=19)),
    ),
    Case(
        "GH-nnunet-1183",
        _GITHUB + "MIC-DKFZ/nnUNet/issues/1183",
        "B3",
        "Tumour labels 0, 1, 2 and 4: there is no 3.",
        _T04,
        "four_0_1_2_4",
        _LOGITS,
    ),
    Case(
        "GH-tfunet-223",
        _GITHUB + "jakeret/tf_unet/issues/223",
        "B3",
        "Ids 1 and 2 were used as the channel's number.",
        frozenset({"T02", "T04", "T05"}),
        "binary_one_based",
        changes(head("softmax"), ONE_HOT_FILE, loss(CCE)),
    ),
    Case(
        "GH-milesial-51",
        _GITHUB + "milesial/Pytorch-UNet/issues/51",
        "B3",
        "Two output channels for a binary loss of one 0/1 mask.",
        frozenset({"T10", "T12"}),
        "binary_01",
        changes(
            head("linear", channels=2),
            target(reader="pillow", encoding="single_channel"),
            loss(BCE, from_logits=True),
        ),
    ),
    Case(
        "GH-milesial-15",
        _GITHUB + "milesial/Pytorch-UNet/issues/15",
        "B3",
        "Three ids, two channels, and sigmoid outputs taken for logits.",
        frozenset({"H01", "T04", "T12"}),
        "three",
        changes(SPARSE_FILE, head("sigmoid", "then_reshape", channels=2), loss(SCCE, from_logits=True)),
        states_all=True,
    ),
    Case(
        "GH-icnet-89",
        _GITHUB + "hellochick/ICNet-tensorflow/issues/89",
        "B3",
        "Labels 0 and 2 with two classes: NaN from the first step.",
        _T04,
        "binary_0_2",
        _LOGITS,
        states_all=True,
    ),
    Case(
        "GH-warm-33",
        _GITHUB + "warmspringwinds/tf-image-segmentation/issues/33",
        "B4",
        "The border of palette masks is 255 and was counted as a class.",
        frozenset({"T04", "T09"}),
        "three_palette_void",
        _LOGITS,
    ),
    Case(
        "GH-keras-8238",
        "https://github.com/keras-team/keras/issues/8238",
        "B4",
        "Unlabelled pixels are -1, which no cross entropy knows.",
        frozenset({"T02", "T04", "T09"}),
        "binary_minus_one",
        changes(head("softmax"), SPARSE_FILE, loss(SCCE)),
    ),
    Case(
        "GH-karolzak-50",
        _GITHUB + "karolzak/keras-unet/issues/50",
        "B4",
        "Ids 0 to 3 and 255 for unlabelled, into one sigmoid channel.",
        frozenset({"T01", "T04", "T09", "T12"}),
        "four_void",
        changes(
            head("sigmoid", channels=1),
            target(reader="pillow", encoding="single_channel"),
            loss(BCE),
        ),
        states_all=True,
    ),
)
