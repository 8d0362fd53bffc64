// How images come in: by the file dialogue, by that for folders, dropped, and from the clipboard. Folders are walked; what is
// no image in them is left out and counted.
const IMAGE_NAME = /\.(png|jpe?g|webp|dcm|dicom)$/i;
const SIGNATURE_BYTES = 132;
const NAME = "pasted image";

// Whether a file of a folder is an image, by its name or how it begins.
/** @param {File} file */
async function looksLikeImage(file) {
  if (IMAGE_NAME.test(file.name)) return true;
  if (file.name.startsWith(".") || file.name === "DICOMDIR") return false;
  try {
    const bytes = new Uint8Array(await file.slice(0, SIGNATURE_BYTES).arrayBuffer());
    const text = String.fromCharCode(...bytes);
    return text.startsWith("\x89PNG") || text.startsWith("\xff\xd8\xff") || /^RIFF....WEBP/s.test(text) || text.slice(128) === "DICM";
  } catch {
    return true; // the analysis says what is wrong with it
  }
}

// All files below an entry of a drop, folder by folder.
/** @param {FileSystemEntry} entry @returns {Promise<File[]>} */
async function filesBelow(entry) {
  if (entry.isFile) {
    const file = new Promise((resolve, reject) => /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject));
    return [await /** @type {Promise<File>} */ (file)];
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  /** @type {File[]} */
  const found = [];
  for (;;) { // browsers give a hundred at a time
    /** @type {FileSystemEntry[]} */
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!entries.length) return found;
    entries.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }));
    for (const each of entries) found.push(...(await filesBelow(each)));
  }
}

/** @param {File[]} files @returns {Promise<{ images: File[], others: number }>} */
async function imagesAmong(files) {
  const isImage = await Promise.all(files.map(looksLikeImage));
  return { images: files.filter((_, index) => isImage[index]), others: isImage.filter((is) => !is).length };
}

// Files as they are; folders by what is in them.
/** @param {DataTransfer} transfer @returns {Promise<Intake>} */
async function takenFrom(transfer) {
  const entries = Array.from(transfer.items, (item) => (item.kind === "file" ? (item.webkitGetAsEntry?.() ?? null) : null));
  const files = Array.from(transfer.files);
  if (!entries.some((entry) => entry?.isDirectory)) return { images: files, others: 0, isFolder: false, isLink: !files.length && hasLink(transfer) };
  const direct = files.filter((file) => !entries.some((entry) => entry?.isDirectory && entry.name === file.name));
  const folders = entries.filter((entry) => entry?.isDirectory);
  const below = (await Promise.all(folders.map((entry) => filesBelow(/** @type {FileSystemEntry} */ (entry))))).flat();
  const { images, others } = await imagesAmong(below);
  return { images: [...direct, ...images], others, isFolder: true, isLink: false };
}

/** @param {DataTransfer} transfer */
function hasLink({ types }) {
  return types.some((type) => type === "text/uri-list" || type === "text/plain" || type === "text/html");
}

/** @param {Intake} intake */
function intakeInWords({ images, others, isFolder, isLink }) {
  if (isLink) return "That was a link or a text, and this page cannot fetch anything. Save the image on this machine, then drop the file.";
  if (!isFolder) return "";
  const left = others === 1 ? "1 file that is no image was left out" : `${others} files that are no images were left out`;
  if (!images.length) return others ? `No image was found in that folder: ${left}.` : "That folder is empty.";
  return others ? `${images.length === 1 ? "1 image" : `${images.length} images`} found; ${left}.` : "";
}
