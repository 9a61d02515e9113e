// Pre- and post-processing around model.onnx: flowers in as people write them, species out by name.
const SPECIES = ['setosa', 'versicolor', 'virginica'];
const FEATURES = ['sepalLength', 'sepalWidth', 'petalLength', 'petalWidth']; // cm

/** `inputs` is the parsed body, as this module exports no `inputs` of its own; the return value is the answer. */
export const handle = async (inputs, context) => {
  const flowers = readFlowers(inputs);
  const data = Float32Array.from(flowers.flatMap((flower) => FEATURES.map((name) => flower[name])));
  const { probabilities } = await context.predict({
    features: { type: 'float32', shape: [flowers.length, FEATURES.length], data },
  });
  return flowers.map((_, row) => {
    const scores = [...probabilities.data.slice(row * SPECIES.length, (row + 1) * SPECIES.length)];
    const best = scores.indexOf(Math.max(...scores));
    return { species: SPECIES[best], probability: scores[best] };
  });
};

const readFlowers = (inputs) => {
  if (!Array.isArray(inputs)) throw invalid('send an array of flowers');
  for (const [row, flower] of inputs.entries()) {
    const missing = FEATURES.find((name) => typeof flower?.[name] !== 'number');
    if (missing !== undefined) throw invalid(`flower ${row} should have ${missing}, a number of cm`);
  }
  return inputs;
};

/** An error of this name is the caller's to mend (400); any other is the model's (424). */
const invalid = (message) => Object.assign(new Error(message), { name: 'ValidationError' });
