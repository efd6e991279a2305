"""Fake files of BP4D in the layout of its owners."""

from tests.support.fake_trees import write_picture, write_text

SUBJECTS = ("F001", "F002", "F003", "M001", "M002", "M003")
CODED = (9, 10, 11, 12)
HEAD = ",".join(map(str, range(100)))


def codes(number, **changed):
    """A line of a file of codes: AU 12 is present on even frames, AU 1 unknown, all others absent."""
    cells = [str(number)] + ["0"] * 99
    cells[1], cells[12] = "9", str(1 - number % 2)
    for unit, code in changed.items():
        cells[int(unit[2:])] = code
    return ",".join(cells)


def write_bp4d(root, subjects=SUBJECTS, tasks=("T1", "T2"), *, coded=CODED):
    """Pictures 8 to 13 of every sequence, of which 9 to 12 are coded; models of the face lie beside."""
    for subject in subjects:
        for index, task in enumerate(tasks):
            for number in range(8, 14):
                # Numbers have as many digits as the longest, or none are padded.
                name = f"{number:04d}" if index else str(number)
                label = "smile" if number % 2 == 0 else "rest"
                write_picture(root / subject / task / f"{name}.jpg", label, size=(64, 64))
                write_text(root / subject / task / f"{name}.obj", "v 0 0 0\n")
            lines = [HEAD, *map(codes, coded)]
            write_text(root / "AUCoding" / "AU_OCC" / f"{subject}_{task}.csv", "\n".join(lines) + "\n")
    write_text(root / "AUCoding" / "AU_INT" / "AU06" / "F001_T1_AU06.csv", "9,3\n")
    return root
