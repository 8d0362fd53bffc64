// Starts Pyodide from its memory snapshot, or, where a browser cannot restore that, from the standard library and the
// runtime's wheel, which takes seconds instead of tenths of a second.
/** @param {Packed} assets @param {Boot} boot */
async function startPython(assets, boot) {
  const packages = Object.keys(boot.packages);
  for (const name of ["pyodide.asm.wasm", "python_stdlib.zip", boot.wheel, ...Object.values(boot.packages)]) {
    embeddedFiles.set(name, taken(assets, name));
  }
  const options = {
    indexURL: EMBEDDED,
    packageBaseUrl: EMBEDDED,
    lockFileContents: boot.lock,
    createPyodideModule: self._createPyodideModule,
    stdout: () => {},
  };
  const pyodide = boot.snapshot ? await restored(assets, options) : await fromScratch(options);
  if (packages.length) await install(pyodide, packages);
  for (const packed of embeddedFiles.values()) freed(packed);
  embeddedFiles.clear();
  return pyodide;
}

/** @param {Packed} assets @param {PyodideOptions} options */
async function restored(assets, options) {
  const snapshot = await unpackOnce(taken(assets, "snapshot.bin"));
  try {
    const pyodide = await loadPyodide({ ...options, _loadSnapshot: snapshot });
    freed(snapshot); // 30 MB that Pyodide still refers to
    return pyodide;
  } catch (error) {
    console.warn("The memory snapshot could not be restored; starting without it.", error);
    return fromScratch(options);
  }
}

/** @param {PyodideOptions} options */
async function fromScratch(options) {
  const pyodide = await loadPyodide(options);
  await pyodide.loadPackage("sitegen-runtime", { messageCallback: () => {} });
  return pyodide;
}

// Further wheels, by their names in the lock, after the snapshot: it holds none of them, and serves every site.
/** @param {Pyodide} pyodide @param {string[]} packages */
async function install(pyodide, packages) {
  await pyodide.loadPackage(packages, { messageCallback: () => {} });
  const missing = packages.filter((name) => !(name in pyodide.loadedPackages));
  if (missing.length) throw new Error(`The page's Python could not take in ${missing.join(", ")}.`);
}

const BEGINNING = 132; // bytes of a file, by which the runtime tells what it may be
let isWhole = false; // whether Python can import all of the runtime

// Few visits need what reads DICOM files or makes adversarial noise, and the snapshot leaves both out. They are in the runtime's
// wheel, which the page has kept, and are unpacked with the first file that may be such a one, and the first such wish.
/** @param {Pyodide} pyodide @param {string} wheel @param {ArrayBuffer} bytes of the file @param {boolean} isWanted whatever it is */
async function completeFor(pyodide, wheel, bytes, isWanted = false) {
  if (isWhole) return;
  /** @type {PyProxy} */
  const start = pyodide.toPy(new Uint8Array(bytes.slice(0, BEGINNING)));
  isWhole = isWanted || pyodide.pyimport("sitegen_runtime.formats.sniff").begins_as_dicom(start);
  start.destroy();
  if (!isWhole) return;
  const packed = await askPageFor([wheel]);
  pyodide.unpackArchive(await unpackOnce(packed[wheel]), "wheel");
  pyodide.pyimport("sys").path_importer_cache.clear(); // `invalidate_caches` would first import what it is for: 0.3 s
}
