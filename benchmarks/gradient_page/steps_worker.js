// Networks in TensorFlow.js, each as steps one after another (tensorflow_steps.py); WebAssembly, as many threads as told.
importScripts("calls.js", "tf.min.js", "tf-backend-wasm.min.js");

const networks = new Map();

const rounding = (pad) => (typeof pad === "number" ? "floor" : undefined);
const activated = ({ stride, pad, activation }) => ({ strides: stride, pad, dimRoundingMode: rounding(pad), activation });

function layerNorm([x, scale, shift], { epsilon }) {
  const centred = tf.sub(x, tf.mean(x, -1, true));
  const deviation = tf.sqrt(tf.add(tf.mean(tf.square(centred), -1, true), epsilon));
  return tf.add(tf.mul(tf.div(centred, deviation), scale), shift);
}

const OPERATORS = {
  convolve: ([x, filter, bias], step) => tf.fused.conv2d({ x, filter, bias, ...activated(step) }),
  depthwise: ([x, filter, bias], step) => tf.fused.depthwiseConv2d({ x, filter, bias, ...activated(step) }),
  normalise: ([x, slope, offset]) => tf.add(tf.mul(x, slope), offset),
  relu: ([x]) => tf.relu(x),
  relu6: ([x]) => tf.relu6(x),
  MaxPool: ([x], { side, stride, pad }) => tf.maxPool(x, side, stride, pad, rounding(pad)),
  AveragePool: ([x], { side, stride, pad }) => tf.avgPool(x, side, stride, pad, rounding(pad)),
  mean: ([x], { axes }) => tf.mean(x, axes),
  concat: (tensors) => tf.concat(tensors, 3),
  linear: ([a, b, bias]) => tf.fused.matMul({ a, b, bias }),
  Reshape: ([x], { shape }) => tf.reshape(x, shape),
  Transpose: ([x], { axes }) => tf.transpose(x, axes),
  Slice: ([x], { begin, size }) => tf.slice(x, begin, size),
  layerNorm,
  Add: ([a, b]) => tf.add(a, b),
  Mul: ([a, b]) => tf.mul(a, b),
  Div: ([a, b]) => tf.div(a, b),
  MatMul: ([a, b]) => tf.matMul(a, b),
  Softmax: ([x]) => tf.softmax(x),
  Erf: ([x]) => tf.erf(x),
};

async function start({ threads }) {
  tf.wasm.setWasmPaths(new URL(".", location.href).href);
  tf.wasm.setThreadsCount(threads);
  if (!(await tf.setBackend("wasm"))) throw new Error("TensorFlow.js has no backend for WebAssembly here");
  await tf.ready();
}

async function create({ name, network, weights, image: { values, shape } }) {
  const buffer = await load(weights);
  const places = Object.entries(network.weights);
  const size = (shape) => shape.reduce((product, length) => product * length, 1);
  const tensors = new Map(
    places.map(([key, { offset, shape }]) => [key, tf.tensor(new Float32Array(buffer, offset, size(shape)), shape)]),
  );
  tensors.set(network.input, tf.transpose(tf.tensor4d(values, shape), [0, 2, 3, 1]));
  networks.set(name, { ...network, tensors });
}

// What a step read for the last time is given up at once, as the engine's own executor does.
function outputOf({ steps, tensors, output }) {
  const made = new Map();
  for (const step of steps) {
    const inputs = step.inputs.map((name) => made.get(name) ?? tensors.get(name));
    made.set(step.output, tf.tidy(() => OPERATORS[step.op](inputs, step)));
    for (const name of step.free) {
      made.get(name).dispose();
      made.delete(name);
    }
  }
  return made.get(output);
}

async function run(name) {
  const result = outputOf(networks.get(name));
  const values = await result.data();
  result.dispose();
  return values;
}

// Returns the milliseconds of so many runs, until their results are there.
async function time({ graph, runs = 1 }) {
  const start = performance.now();
  for (let number = 0; number < runs; number++) await run(graph);
  return performance.now() - start;
}

async function results({ graph }) {
  return { logits: Array.from(await run(graph)) };
}

async function facts() {
  return `${tf.wasm.getThreadsCount()} threads, ${(await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT")) ? "SIMD" : "no SIMD"}`;
}

answerCalls({ start, create, time, results, facts });
