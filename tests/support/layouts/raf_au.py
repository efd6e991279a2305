"""Fake files of RAF-AU in the layout of its owners."""

from tests.support.fake_trees import write_picture, write_text

LINES = ["0001.jpg 1+2+25+L12 ", "0002.jpg null", "0003.jpg R4+19+54", "0004.jpg 10"]


def write_raf_au(root, lines=LINES, *, n_more=8):
    names = [line.split()[0] for line in lines] + [f"1{number:03d}.jpg" for number in range(n_more)]
    text = [*lines, *(f"{name} 12+25" for name in names[len(lines) :])]
    write_text(root / "RAFAU_label.txt", "\n".join(text) + "\n")
    for name in names:
        write_picture(root / "aligned" / name.replace(".jpg", "_aligned.jpg"), name, size=(100, 100))
        write_picture(root / "original" / name, name, size=(160, 120))
    return root
