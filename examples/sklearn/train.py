#!/usr/bin/env python3
"""Trains three small models on scikit-learn's own data sets and packs them as model.tar.gz artifacts.

Beside each artifact goes NAME.expected.json: held-out inputs, and the predictions of scikit-learn itself
(not of the exported file), so that a server's answers can be compared with the source of truth.
"""

import argparse
import gzip
import io
import json
import pathlib
import sys
import tarfile

try:
    import numpy as np
    import onnxruntime
    from skl2onnx import to_onnx
    from sklearn.datasets import load_diabetes, load_digits, load_iris
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier
except ImportError as error:
    sys.exit(f"{error}. Install what is needed first: pip install -r requirements.txt")

OPSET = 17
ROWS = 20
TOLERANCE = 1e-5
SEED = 7

SERVING_PROPERTIES = b"engine=OnnxRuntime\n"


def diabetes():
    """The demonstration's model: a linear regression, 10 features to one number."""
    inputs, targets = load_diabetes(return_X_y=True)
    return LinearRegression(), inputs, targets, {}


def iris():
    """A classifier with labels and probabilities; ZipMap off, so that both are plain tensors."""
    inputs, targets = load_iris(return_X_y=True)
    return LogisticRegression(max_iter=1000), inputs, targets, {"zipmap": False}


def digits():
    """A small neural network on 8x8 images, pixels scaled to 0..1. Strong regularisation keeps logits moderate."""
    inputs, targets = load_digits(return_X_y=True)
    network = MLPClassifier(hidden_layer_sizes=(16,), alpha=1.0, max_iter=400, random_state=SEED)
    return network, inputs / 16.0, targets, {"zipmap": False}


MODELS = {"diabetes": diabetes, "iris": iris, "digits": digits}


def train(name):
    """Returns the artifact's bytes, the expected predictions, and the largest relative error of the export."""
    model, inputs, targets, options = MODELS[name]()
    # The wire carries float32: scikit-learn is asked about the very numbers that the exported model will see.
    inputs = inputs.astype(np.float32).astype(np.float64)
    seen, held_out, seen_targets, _ = train_test_split(inputs, targets, test_size=ROWS, random_state=SEED)
    model.fit(seen, seen_targets)

    exported = to_onnx(
        model,
        held_out[:1].astype(np.float32),
        name=name,
        target_opset=OPSET,
        options={id(model): options} if options else None,
    ).SerializeToString()
    outputs = predict(model, exported)(held_out)
    error = largest_error(exported, held_out, outputs)
    expected = {
        "inputs": held_out.tolist(),
        "outputs": {key: value.tolist() for key, value in outputs.items()},
    }
    return pack(exported), expected, error


def predict(model, exported):
    """scikit-learn's own predictions under the names of the exported model's outputs."""
    names = [output.name for output in onnxruntime.InferenceSession(exported).get_outputs()]
    if hasattr(model, "predict_proba"):
        return lambda rows: dict(zip(names, (model.predict(rows), model.predict_proba(rows))))
    return lambda rows: {names[0]: model.predict(rows).reshape(-1, 1)}


def largest_error(exported, rows, expected):
    session = onnxruntime.InferenceSession(exported)
    answers = session.run(None, {session.get_inputs()[0].name: rows.astype(np.float32)})
    return max(
        float(np.max(np.abs(answer - wanted) / np.maximum(np.abs(wanted), 1e-12)))
        for answer, wanted in zip(answers, expected.values())
    )


def pack(exported):
    """A model.tar.gz whose bytes depend on its contents alone: no clock, no user."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in (("model.onnx", exported), ("serving.properties", SERVING_PROPERTIES)):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            entry.mode = 0o644
            tar.addfile(entry, io.BytesIO(data))
    return gzip.compress(archive.getvalue(), mtime=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = pathlib.Path(__file__).parent
    parser.add_argument("--out", type=pathlib.Path, default=here / "artifacts", help="folder to write to")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)

    for name in MODELS:
        artifact, expected, error = train(name)
        if error > TOLERANCE:
            sys.exit(f"{name}: the export differs from scikit-learn by {error:.1e}, more than {TOLERANCE:.0e}")
        (out / f"{name}.tar.gz").write_bytes(artifact)
        (out / f"{name}.expected.json").write_text(json.dumps(expected) + "\n")
        print(f"{name}: {len(artifact):,} bytes, largest relative error {error:.1e}")


if __name__ == "__main__":
    main()
