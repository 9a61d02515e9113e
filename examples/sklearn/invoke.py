#!/usr/bin/env python3
"""Calls a model of a running endpoint with boto3, as one calls a SageMaker multi-model endpoint."""

import argparse
import json
import pathlib
import sys

try:
    import boto3
    from botocore.exceptions import ClientError, EndpointConnectionError
except ImportError as error:
    sys.exit(f"{error}. Install it first: pip install -r requirements.txt")


def main():
    root = pathlib.Path(__file__).parents[2]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="TargetModel: the object's key below the prefix, e.g. diabetes-0001.tar.gz")
    parser.add_argument("rows", type=pathlib.Path, help='JSON: {"inputs": [[...], ...]} or [[...], ...]')
    parser.add_argument("--endpoint-file", type=pathlib.Path, default=root / ".local" / "endpoint.json")
    options = parser.parse_args()

    endpoint = read_json(options.endpoint_file, "start the endpoint first: npm start")
    rows = read_json(options.rows, "name a JSON file with rows, e.g. artifacts/diabetes.expected.json")
    rows = rows["inputs"] if isinstance(rows, dict) else rows

    runtime = boto3.client(
        "sagemaker-runtime",
        endpoint_url=endpoint["url"],
        region_name=endpoint["region"],
        aws_access_key_id=endpoint["accessKeyId"],
        aws_secret_access_key=endpoint["secretAccessKey"],
    )
    try:
        answer = runtime.invoke_endpoint(
            EndpointName=endpoint["endpointName"],
            TargetModel=options.model,
            ContentType="application/json",
            Body=json.dumps({"instances": rows}),
        )
    except EndpointConnectionError:
        sys.exit(f"Nothing answers at {endpoint['url']}: start the endpoint again: npm start")
    except ClientError as error:
        sys.exit(str(error))
    print(answer["Body"].read().decode())


def read_json(path, advice):
    try:
        return json.loads(path.read_text())
    except OSError as error:
        sys.exit(f"{error}: {advice}")
    except ValueError as error:
        sys.exit(f"{path} is not JSON ({error}): {advice}")


if __name__ == "__main__":
    main()
