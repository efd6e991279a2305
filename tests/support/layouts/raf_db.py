"""Fake files of RAF-DB in the layout of its owners."""

from tests.support.fake_trees import write_picture, write_text


def write_half(root, half="basic", *, n_classes=7, images="aligned", per_class=2):
    lines = []
    for part in ("train", "test"):
        for number in range(n_classes * per_class):
            code = number % n_classes + 1
            name = f"{part}_{number + 1:05d}"
            suffix = "_aligned" if images == "aligned" else ""
            write_picture(root / half / "Image" / images / f"{name}{suffix}.jpg", str(code), size=(100, 100))
            lines.append(f"{name}.jpg {code}")
    write_text(root / half / "EmoLabel" / "list_patition_label.txt", "\n".join(lines) + "\n")
    return root
