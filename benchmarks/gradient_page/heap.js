// How much memory an engine holds: its module makes the memory with this constructor, and keeps it to itself.
const Memory = WebAssembly.Memory;
let memory = null;

WebAssembly.Memory = function (description) {
  memory = new Memory(description);
  return memory;
};
WebAssembly.Memory.prototype = Memory.prototype;

function heapMegabytes() {
  return memory ? memory.buffer.byteLength / 1e6 : null;
}
