"""Fake files of EmotioNet in the layout of its owners."""

from tests.support.fake_trees import write_picture, write_text

BASE = "http://cbcsnas01.ece.ohio-state.edu/EmotioNet/Images/batch_1"


def line(number, **units):
    """AU 1 is present, AU 2 not labelled, all others absent, but for those that are given."""
    codes = ["1", "999", *["0"] * 58]
    for unit, code in units.items():
        codes[int(unit[2:]) - 1] = str(code)
    name = f"N_{number:010d}_00039.jpg"
    return "\t".join([f"{BASE}/{name}", f"http://elsewhere.org/{number}.jpg?x=1", *codes])


def write_emotionet(root, n_manual=12, n_automatic=12):
    """Lists of people and of the detector; every picture lies in a folder of its own batch."""
    manual = [line(number, au12=number % 2) for number in range(n_manual)]
    automatic = [line(100 + number) for number in range(n_automatic)]
    write_text(root / "lists" / "dataFile_1000.txt", "\n".join(manual) + "\n")
    write_text(root / "lists" / "dataFile_0001.txt", "URL\tURL orig\tAU1\n" + "\n".join(automatic) + "\n")
    for number in [*range(n_manual), *range(100, 100 + n_automatic)]:
        write_picture(root / "images" / f"batch_{number % 3}" / f"N_{number:010d}_00039.jpg", size=(64, 64))
    return root
