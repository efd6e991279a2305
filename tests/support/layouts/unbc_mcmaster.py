"""Fake files of UNBC-McMaster in the layout of its owners."""

from tests.support.fake_trees import write_picture, write_text

SUBJECTS = ("042-ll042", "043-jh043", "047-jl047", "048-aa048", "049-bm049", "052-dr052")
CODES = (
    "",
    "   4.0000000e+00   1.0000000e+00   0.0000000e+00   0.0000000e+00\n",
    "   4.0000000e+00   2.0000000e+00   0.0000000e+00   0.0000000e+00\n"
    "   4.3000000e+01   1.0000000e+00   0.0000000e+00   0.0000000e+00\n"
    "   1.2000000e+01   5.0000000e+00   0.0000000e+00   0.0000000e+00\n"
    "   5.0000000e+01   1.0000000e+00   0.0000000e+00   0.0000000e+00\n",
)


def write_unbc(root, subjects=SUBJECTS):
    """A sequence of every subject with frames 1 to 3; AU 4 of 0, 1, 2, in the last with closed eyes."""
    for subject in subjects:
        sequence = f"{subject.partition('-')[2]}t1aaaff"
        for number, text in enumerate(CODES, start=1):
            name = f"{sequence}{number:03d}"
            write_picture(root / "Images" / subject / sequence / f"{name}.png")
            write_text(root / "Frame_Labels" / "FACS" / subject / sequence / f"{name}_facs.txt", text)
            write_text(root / "Frame_Labels" / "PSPI" / subject / sequence / f"{name}_facs.txt", "0.0\n")
    return root
