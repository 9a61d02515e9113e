#!/usr/bin/env python3
"""Calls a model of a running endpoint with boto3, as one calls a SageMaker multi-model endpoint."""

import argparse
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent

try:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError
except ImportError as error:
    sys.exit(f"{error}. Install it first:\n  {sys.executable} -m pip install -r {HERE / 'requirements.txt'}")

START = "Start the endpoint in the project's folder: npm start"


def main():
    options = parse_options()
    endpoint = read_json(options.endpoint_file, START)
    rows = read_rows(options.rows)
    try:
        answer = invoke(endpoint, options.model, rows)
    except KeyError as error:
        sys.exit(f"{options.endpoint_file} names no {error}. {START}")
    except EndpointConnectionError:
        sys.exit(f"Nothing answers at {endpoint['url']}, where {options.endpoint_file} says it is. {START}")
    except (ClientError, BotoCoreError) as error:
        sys.exit(f"{options.model}: {error}")
    print(answer)


def parse_options():
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: invoke.py diabetes-0001.tar.gz artifacts/diabetes.expected.json",
    )
    parser.add_argument("model", help="TargetModel: the object's key without the prefix, e.g. tenant-7/churn.tar.gz")
    parser.add_argument("rows", type=pathlib.Path, help='JSON file: [[...], ...] or {"inputs": [[...], ...]}')
    parser.add_argument(
        "--endpoint-file",
        type=pathlib.Path,
        default=HERE.parents[1] / ".local" / "endpoint.json",
        help="written by npm start (default: %(default)s)",
    )
    return parser.parse_args()


def invoke(endpoint, model, rows):
    """The same call as on SageMaker, but for endpoint_url (and local keys)."""
    runtime = boto3.client(
        "sagemaker-runtime",
        endpoint_url=endpoint["url"],
        region_name=endpoint["region"],
        aws_access_key_id=endpoint["accessKeyId"],
        aws_secret_access_key=endpoint["secretAccessKey"],
    )
    answer = runtime.invoke_endpoint(
        EndpointName=endpoint["endpointName"],
        TargetModel=model,
        ContentType="application/json",
        Body=json.dumps({"instances": rows}),
    )
    return answer["Body"].read().decode()


def read_rows(path):
    content = read_json(path, "Name a JSON file with rows, e.g. artifacts/diabetes.expected.json")
    rows = content.get("inputs") if isinstance(content, dict) else content
    if not isinstance(rows, list) or not rows:
        sys.exit(f'{path} holds no rows: [[...], ...] or {{"inputs": [[...], ...]}} is expected')
    return rows


def read_json(path, advice):
    try:
        return json.loads(path.read_text())
    except OSError as error:
        sys.exit(f"{path} cannot be read ({error.strerror}). {advice}")
    except ValueError as error:
        sys.exit(f"{path} is not JSON ({error}). {advice}")


if __name__ == "__main__":
    main()
