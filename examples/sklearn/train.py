#!/usr/bin/env python3
"""Trains three small models on scikit-learn's own data sets and packs them as model.tar.gz artifacts.

Beside each artifact goes NAME.expected.json: held-out inputs, and the predictions of scikit-learn itself
(not of the exported file), so that a server's answers can be compared with the source of truth.
"""

import argparse
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent

try:
    import numpy as np
    import onnxruntime
    from sklearn.base import is_classifier
    from sklearn.datasets import load_diabetes, load_digits, load_iris
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier

    from artifact import export, pack
except ImportError as error:
    sys.exit(f"{error}. Install what is needed first:\n  {sys.executable} -m pip install -r {HERE / 'requirements.txt'}")

HELD_OUT_ROWS = 20
TOLERANCE = 1e-5
SEED = 7


def diabetes():
    """The demonstration's model: a linear regression, 10 features to one number."""
    inputs, targets = load_diabetes(return_X_y=True)
    return LinearRegression(), inputs, targets


# The exported models compute in float32, where a probability near zero, e to a large negative number, loses digits.
# The stronger regularisation of both classifiers keeps those numbers moderate.


def iris():
    """A logistic regression, 4 features to a label and 3 probabilities."""
    inputs, targets = load_iris(return_X_y=True)
    return LogisticRegression(C=0.3, max_iter=1000), inputs, targets


def digits():
    """A small neural network, 8x8 pixels scaled to 0..1 to a label and 10 probabilities."""
    inputs, targets = load_digits(return_X_y=True)
    network = MLPClassifier(hidden_layer_sizes=(16,), alpha=1.0, max_iter=400, random_state=SEED)
    return network, inputs / 16, targets


MODELS = {"diabetes": diabetes, "iris": iris, "digits": digits}


def train(name):
    """Returns the artifact's bytes, the expected predictions, and the largest relative error of the export."""
    model, inputs, targets = MODELS[name]()
    # The exported model takes float32: scikit-learn is asked, in float64, about the very numbers it will see.
    inputs = inputs.astype(np.float32).astype(np.float64)
    seen, held_out, seen_targets, _ = train_test_split(inputs, targets, test_size=HELD_OUT_ROWS, random_state=SEED)
    model.fit(seen, seen_targets)

    exported = export(model, features=inputs.shape[1], name=name)
    expected = {
        "inputs": held_out.tolist(),
        "outputs": {output: values.tolist() for output, values in predict(model, held_out).items()},
    }
    # Every row of the data set is compared, not only the few that are recorded.
    return pack(exported), expected, largest_error(exported, inputs, predict(model, inputs))


def predict(model, rows):
    """scikit-learn's own predictions under the names of the exported model's outputs."""
    if is_classifier(model):
        return {"label": model.predict(rows), "probabilities": model.predict_proba(rows)}
    return {"prediction": model.predict(rows).reshape(-1, 1)}


def largest_error(exported, rows, expected):
    session = onnxruntime.InferenceSession(exported)
    answers = session.run(list(expected), {"features": rows.astype(np.float32)})
    return max(
        float(np.max(np.abs(answer - wanted) / np.maximum(np.abs(wanted), np.finfo(np.float32).tiny)))
        for answer, wanted in zip(answers, expected.values(), strict=True)
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--out", type=pathlib.Path, default=HERE / "artifacts", help="folder to write to (default: %(default)s)"
    )
    out = parser.parse_args().out
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        sys.exit(f"--out {out} cannot be made a folder: {error}")

    for number, name in enumerate(MODELS, start=1):
        print(f"[{number}/{len(MODELS)}] {name}: training", flush=True)
        artifact, expected, error = train(name)
        if not error <= TOLERANCE:  # so that NaN is refused too
            sys.exit(f"{name}: the export differs from scikit-learn by {error:.1e}, more than {TOLERANCE:.0e}")
        (out / f"{name}.tar.gz").write_bytes(artifact)
        (out / f"{name}.expected.json").write_text(json.dumps(expected) + "\n")
        print(f"[{number}/{len(MODELS)}] {name}: {len(artifact):,} bytes, largest relative error {error:.1e}")
    print(f"written to {out}")


if __name__ == "__main__":
    main()
