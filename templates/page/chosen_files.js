// Files that people choose, drop or paste, and folders of them, as discs with radiographs are. Whoever opens a folder has not
// chosen each file in it: what does not begin as an image does is counted, and everything else opened.
/** @typedef {{ file: File, name: string }} NamedFile */
/** @typedef {{ images: NamedFile[], words: string | null }} Chosen */

const BEGINNING = 132; // bytes
// As `sniff` of sitegen_runtime/formats tells PNG, JPEG, WebP and DICOM, which counts in the end.
const AS_IMAGES_BEGIN = /^(?:\x89PNG|\xff\xd8\xff|RIFF.{4}WEBP|.{128}DICM|[\x02\x08]\0.\0)/s;
const DIRECTORY = "DICOMDIR"; // what a disc's table of contents is called (PS3.10)
const MOST_IMAGES = 200; // at once: each has a picture in memory
const UNREADABLE_FOLDER = "This browser does not let this page look into a folder that is dropped. Choose it by the button instead.";

/** @param {File} file */
async function mayBeImage(file) {
  const start = await file.slice(0, BEGINNING).arrayBuffer().catch(() => new ArrayBuffer(0));
  return AS_IMAGES_BEGIN.test(String.fromCharCode(...new Uint8Array(start)));
}

/** @param {Iterable<File>} files @returns {Chosen} */
function chosenOneByOne(files) {
  return { images: Array.from(files, (file) => ({ file, name: file.name || "pasted image" })), words: null };
}

/** @param {NamedFile[]} files */
async function chosenInFolders(files) {
  const [images, directories] = [/** @type {NamedFile[]} */ ([]), files.filter(({ file }) => file.name === DIRECTORY)];
  files.sort((one, other) => one.name.localeCompare(other.name, "en", { numeric: true }));
  for (const each of files) if (each.file.name !== DIRECTORY && (await mayBeImage(each.file))) images.push(each);
  const words = wordsOnFolder(files.length, images.length, directories.length > 0);
  return { images: images.slice(0, MOST_IMAGES), words };
}

/** @param {number} all @param {number} images @param {boolean} hasDirectory */
function wordsOnFolder(all, images, hasDirectory) {
  const left = all - images;
  const found = images === 1 ? "1 image in the folder." : `${images || "No"} images in the folder.`;
  const opened = images > MOST_IMAGES ? ` Only the first ${MOST_IMAGES} of them are opened.` : "";
  const others = left === 1 ? " 1 other file is no image and was left out" : ` ${left} other files are no images and were left out`;
  const directory = left === 1 ? ": a DICOMDIR, a disc's table of contents" : ", among them a DICOMDIR, a disc's table of contents";
  return found + opened + (left ? `${others}${hasDirectory ? directory : ""}.` : "");
}

/** @param {Iterable<File>} files of an input that takes folders */
function chosenByFolder(files) {
  return chosenInFolders(Array.from(files, (file) => ({ file, name: file.webkitRelativePath || file.name })));
}

// Folders and files that are dropped together are opened together. Chromium's pages from files are given handles of folders,
// but no files by entries; other browsers have entries alone.
/** @param {DataTransfer | null} transfer @returns {Promise<Chosen>} */
async function chosenByDrop(transfer) {
  const items = Array.from(transfer?.items ?? []).filter(({ kind }) => kind === "file");
  const entries = items.map((item) => item.webkitGetAsEntry?.() ?? null);
  const handles = items.map((item) => item.getAsFileSystemHandle?.() ?? null);
  const files = Array.from(transfer?.files ?? []); // all this before anything is waited for: then a drop is forgotten
  const isFolder = entries.map((entry) => entry?.isDirectory ?? false);
  if (!isFolder.includes(true)) return chosenOneByOne(files);
  const names = new Set(entries.map((entry) => entry?.isDirectory && entry.name));
  const single = chosenOneByOne(files.filter(({ name }) => !names.has(name))).images;
  try {
    const found = await Promise.all(entries.map(async (entry, index) => {
      if (!entry || !isFolder[index]) return [];
      const handle = await handles[index];
      return handle ? filesOfHandle(handle, "") : filesOfEntry(entry);
    }));
    const { images, words } = await chosenInFolders(found.flat());
    return { images: [...single, ...images], words };
  } catch {
    return { images: single, words: UNREADABLE_FOLDER };
  }
}

/** @param {FileSystemHandle} handle @param {string} above @returns {Promise<NamedFile[]>} */
async function filesOfHandle(handle, above) {
  const name = above + handle.name;
  if (handle.kind === "file") return [{ file: await /** @type {FileSystemFileHandle} */ (handle).getFile(), name }];
  const found = [];
  const folder = /** @type {FileSystemDirectoryHandle} */ (handle);
  for await (const inside of folder.values()) found.push(...(await filesOfHandle(inside, `${name}/`)));
  return found;
}

/** @param {FileSystemEntry} entry @returns {Promise<NamedFile[]>} */
async function filesOfEntry(entry) {
  if (!entry.isDirectory) {
    /** @type {File} */
    const file = await new Promise((resolve, reject) => /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject));
    return [{ file, name: entry.fullPath.replace(/^\//, "") }];
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  const found = [];
  for (;;) { // entries come by the hundred
    /** @type {FileSystemEntry[]} */
    const inside = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!inside.length) return found;
    for (const each of inside) found.push(...(await filesOfEntry(each)));
  }
}
