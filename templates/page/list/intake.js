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

// All files below an entry of a drop, folder by folder. Chromium reads entries for no page from a disk, but handles; the
// others know entries alone.
/** @param {FileSystemEntry} entry @returns {Promise<File[]>} */
async function filesOfEntry(entry) {
  if (entry.isFile) {
    const file = new Promise((resolve, reject) => /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject));
    return [await /** @type {Promise<File>} */ (file)];
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  /** @type {FileSystemEntry[]} */
  const all = [];
  for (;;) { // browsers give a hundred at a time
    /** @type {FileSystemEntry[]} */
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!entries.length) break;
    all.push(...entries);
  }
  return inOrder(all, filesOfEntry);
}

/** @param {FileSystemHandle} handle @returns {Promise<File[]>} */
async function filesOfHandle(handle) {
  if (handle.kind === "file") return [await /** @type {FileSystemFileHandle} */ (handle).getFile()];
  /** @type {FileSystemHandle[]} */
  const all = [];
  for await (const each of /** @type {FileSystemDirectoryHandle} */ (handle).values()) all.push(each);
  return inOrder(all, filesOfHandle);
}

// By name, 2 before 10.
/** @template {{ name: string }} T @param {T[]} all @param {(each: T) => Promise<File[]>} files */
async function inOrder(all, files) {
  all.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }));
  const found = [];
  for (const each of all) found.push(...(await files(each)));
  return found;
}

/** @param {File[]} files @returns {Promise<{ images: File[], others: number }>} */
async function imagesAmong(files) {
  const isImage = await Promise.all(files.map(looksLikeImage));
  return { images: files.filter((_, index) => isImage[index]), others: isImage.filter((is) => !is).length };
}

// Files as they are; folders by what is in them. What a drop holds can only be asked for while it is told of.
/** @param {DataTransfer} transfer @returns {Promise<Intake>} */
async function takenFrom(transfer) {
  const files = Array.from(transfer.files);
  const items = Array.from(transfer.items).filter(({ kind }) => kind === "file");
  const entries = items.map((item) => item.webkitGetAsEntry?.() ?? null);
  if (!entries.some((entry) => entry?.isDirectory)) return { images: files, others: 0, isFolder: false, isLink: !files.length && hasLink(transfer) };
  const handles = items.map((item) => item.getAsFileSystemHandle?.().catch(() => null) ?? null);
  try {
    const found = [];
    for (const [index, entry] of entries.entries()) found.push(...(await filesOfDropped(entry, await handles[index])));
    return { ...(await imagesAmong(found)), isFolder: true, isLink: false };
  } catch {
    return { images: files.filter((_, index) => !entries[index]?.isDirectory), others: 0, isFolder: true, isLink: false, isUnreadable: true };
  }
}

/** @param {FileSystemEntry | null} entry @param {FileSystemHandle | null} handle */
async function filesOfDropped(entry, handle) {
  if (handle) return filesOfHandle(handle);
  return entry ? filesOfEntry(entry) : [];
}

/** @param {DataTransfer} transfer */
function hasLink({ types }) {
  return types.some((type) => type === "text/uri-list" || type === "text/plain" || type === "text/html");
}

/** @param {Intake} intake */
function intakeInWords({ images, others, isFolder, isLink, isUnreadable }) {
  if (isLink) return "That was a link or a text, and this page cannot fetch anything. Save the image on this machine, then drop the file.";
  if (isUnreadable) return "This browser does not let this page read a dropped folder. Choose it with “Add folder”.";
  if (!isFolder) return "";
  const left = others === 1 ? "1 file that is no image was left out" : `${others} files that are no images were left out`;
  if (!images.length) return others ? `No image was found in that folder: ${left}.` : "That folder is empty.";
  return others ? `${images.length === 1 ? "1 image" : `${images.length} images`} found; ${left}.` : "";
}
