// The same network in TensorFlow.js. Batch normalisation after a convolution comes folded into it.
importScripts("calls.js", "tf.min.js", "tf-backend-wasm.min.js");

let network = null;
let image = null;
let seed = null;
let differentiating = false;

async function start({ backend, layers, weights, image: pixels, seed: weightsOfLogits }) {
  tf.wasm.setWasmPaths(new URL(".", location.href).href);
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js has no backend ${backend} here`);
  await tf.ready();
  network = tensors(layers, await load(weights));
  const [, channels, height, width] = pixels.shape;
  image = tf.transpose(tf.tensor4d(pixels.values, [1, channels, height, width]), [0, 2, 3, 1]);
  seed = tf.tensor2d(weightsOfLogits.values, weightsOfLogits.shape);
}

// The same tree, with a tensor in place of each { offset, shape }.
function tensors(tree, buffer) {
  if (Array.isArray(tree)) return tree.map((branch) => tensors(branch, buffer));
  if (tree === null) return null;
  if (!("offset" in tree)) {
    return Object.fromEntries(Object.entries(tree).map(([name, branch]) => [name, tensors(branch, buffer)]));
  }
  const size = tree.shape.reduce((product, length) => product * length, 1);
  return tf.tensor(new Float32Array(buffer, tree.offset, size), tree.shape);
}

// Bias and Relu in one kernel, as the converter of TensorFlow.js would have it. Fused convolutions always work out the
// gradient of their kernels too, which nobody asked for: in front of a gradient they are written apart.
function convolve(x, { kernel, bias }, { strides = 1, pad = 0, relu = false } = {}) {
  if (!differentiating) {
    const options = { strides, pad, dimRoundingMode: "floor", activation: relu ? "relu" : "linear" };
    return tf.fused.conv2d({ x, filter: kernel, bias: bias ?? undefined, ...options });
  }
  const maps = tf.conv2d(x, kernel, strides, pad, "NHWC", 1, "floor");
  const shifted = bias ? tf.add(maps, bias) : maps;
  return relu ? tf.relu(shifted) : shifted;
}

function normalise(x, { scale, shift }) {
  return tf.relu(tf.add(tf.mul(x, scale), shift));
}

function logits(x) {
  let maps = convolve(x, network.stem, { strides: 2, pad: 3, relu: true });
  maps = tf.maxPool(maps, 3, 2, 1, "floor");
  network.blocks.forEach((block, index) => {
    for (const layer of block) {
      const narrow = convolve(normalise(maps, layer.norm), layer.narrow, { relu: true });
      maps = tf.concat([maps, convolve(narrow, layer.grow, { pad: 1 })], 3);
    }
    const transition = network.transitions[index];
    if (transition) maps = tf.avgPool(convolve(normalise(maps, transition.norm), transition.conv), 2, 2, "valid");
  });
  const features = tf.mean(normalise(maps, network.norm), [1, 2]);
  return tf.add(tf.matMul(features, network.classifier.kernel), network.classifier.bias);
}

function withGradient() {
  differentiating = true;
  try {
    return tf.valueAndGrad((x) => tf.sum(tf.mul(logits(x), seed)))(image).grad;
  } finally {
    differentiating = false;
  }
}

// Returns the milliseconds of one run, until its result is there.
async function time({ gradient }) {
  const start = performance.now();
  const result = tf.tidy(() => (gradient ? withGradient() : logits(image)));
  await result.data();
  const milliseconds = performance.now() - start;
  result.dispose();
  return milliseconds;
}

async function results({ gradient }) {
  const [given, slope] = tf.tidy(() => [logits(image), gradient ? tf.transpose(withGradient(), [0, 3, 1, 2]) : null]);
  return { logits: Array.from(await given.data()), grad_image: slope && Array.from(await slope.data()) };
}

// What runs below: on machines without a graphics card, WebGL is drawn by a program.
async function facts() {
  const backend = tf.getBackend();
  if (backend === "wasm") {
    const [simd, threads] = await Promise.all([
      tf.env().getAsync("WASM_HAS_SIMD_SUPPORT"),
      tf.env().getAsync("WASM_HAS_MULTITHREAD_SUPPORT"),
    ]);
    return `${simd ? "SIMD" : "no SIMD"}, ${threads ? "several threads" : "one thread"}`;
  }
  if (backend !== "webgl") return "one thread";
  const context = tf.backend().gpgpu.gl;
  const extension = context.getExtension("WEBGL_debug_renderer_info");
  return context.getParameter(extension ? extension.UNMASKED_RENDERER_WEBGL : context.RENDERER);
}

answerCalls({ start, time, results, facts });
