"""An audit says what it took for a label, and where that is from."""

from pathlib import Path

from sitegen.data.audit.tables import labels_in_words
from sitegen.data.layouts.class_folders import read_class_folders
from sitegen.data.layouts.known import read_dataset


def test_labels_of_folders_and_tables(tmp_path: Path) -> None:
    for name in ("data/sick/1.png", "data/well/2.png"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(b"")
    said = labels_in_words(read_class_folders(tmp_path / "data"))
    assert said == "Labels: sick, well (the names of the folders that the images lie in)."
    table = tmp_path / "table.csv"
    table.write_text("file,Mass\na.png,1\nb.png,0\n")
    assert labels_in_words(read_dataset(table)) == "Labels: Mass (what the data set's table says)."
    table.write_text("file\na.png\n")
    assert labels_in_words(read_dataset(table)) == "No labels: nothing says what is in the images."
