"""Load on a running endpoint in three patterns, with boto3 as SageMaker's clients call it.

locust --headless --users 8 --run-time 30s --pattern even
"""

# Locust comes first: it patches sockets and threads for gevent, and what boto3 imports must see that.
from locust import User, constant, events, task

import itertools
import json
import os
import pathlib
import random
import time

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

HERE = pathlib.Path(__file__).resolve().parent
ARTIFACTS = HERE.parent / "sklearn" / "artifacts"
ENDPOINT_FILE = HERE.parents[1] / os.environ.get("LOCAL_DIR", ".local") / "endpoint.json"
START = "Start the endpoint in the project's folder: npm start"

# Connections are opened as users need them: this only bounds how many are kept.
MAX_USERS = 1000

# How many models are popular, and the share of the calls that they get.
PATTERNS = {"even": (0, 0.0), "hot": (1, 0.95), "few": (10, 0.9)}


@events.init_command_line_parser.add_listener
def add_options(parser):
    # Not in a group of their own: Locust's web page would not have those.
    parser.add_argument("--pattern", choices=[*PATTERNS], default="even", help="which models are called (default: even)")
    parser.add_argument("--endpoint-file", default=str(ENDPOINT_FILE), help="written by npm start (default: %(default)s)")
    parser.add_argument("--endpoint-url", default="", help="another endpoint, instead of the file's; --host does the same")
    parser.add_argument("--endpoint-name", default="", help="EndpointName, instead of the file's")
    parser.add_argument("--models", type=int, default=0, help="call the first N models (default: all that npm start uploaded)")
    parser.add_argument("--prefix", default="diabetes-", help="models are PREFIX0001.tar.gz and on (default: %(default)s)")


class Load:
    """What all users share: one client, whose connections are pooled, and one turn through the models."""

    def __init__(self, options):
        url, name = options.endpoint_url or options.host, options.endpoint_name
        file = {} if url and name else read_endpoint(options.endpoint_file)
        self.endpoint_name = name or file["endpointName"]
        self.client = create_client(url or file["url"], file, MAX_USERS)
        count = options.models or count_models(options.endpoint_file)
        self.next_model = create_pattern(options.pattern, [f"{options.prefix}{n:04}.tar.gz" for n in range(1, count + 1)])
        rows = json.loads((ARTIFACTS / "diabetes.expected.json").read_text())["inputs"]
        self.body = json.dumps({"instances": rows[:1]})

    def invoke(self, model):
        answer = self.client.invoke_endpoint(
            EndpointName=self.endpoint_name, TargetModel=model, ContentType="application/json", Body=self.body
        )
        return answer["Body"].read()


def create_client(url, file, connections):
    return boto3.client(
        "sagemaker-runtime",
        endpoint_url=url,
        region_name=file.get("region"),
        aws_access_key_id=file.get("accessKeyId"),
        aws_secret_access_key=file.get("secretAccessKey"),
        # Retries would hide every 429, and the calls that they cost; a smaller pool would make users wait in it.
        config=Config(retries={"total_max_attempts": 1}, max_pool_connections=connections, read_timeout=65),
    )


def create_pattern(pattern, models):
    """Gives a function that chooses the next model and says whose figures its call counts in."""
    popular_count, popular_share = PATTERNS[pattern]
    if len(models) <= popular_count:
        raise SystemExit(f"--pattern {pattern} needs {popular_count + 1} models or more, but there are {len(models)}")
    chance = random.Random(1)
    shuffled = chance.sample(models, len(models))
    popular = itertools.cycle(shuffled[:popular_count])
    others = itertools.cycle(shuffled[popular_count:])
    popular_name = "hot model" if pattern == "hot" else "ten models"
    others_name = "others" if popular_count else "all models"

    def next_model():
        if chance.random() < popular_share:
            return next(popular), popular_name
        return next(others), others_name

    return next_model


def read_endpoint(path):
    try:
        return json.loads(pathlib.Path(path).read_text())
    except OSError as error:
        raise SystemExit(
            f"{path} cannot be read ({error.strerror}). {START}, or give --endpoint-url and --endpoint-name"
        ) from error


def count_models(endpoint_file):
    """npm start notes beside the endpoint file how many models it has uploaded."""
    try:
        return json.loads((pathlib.Path(endpoint_file).parent / "seed.json").read_text())["models"]
    except OSError:
        return 1000


@events.test_start.add_listener
def prepare(environment, **_):
    """With each start of a test, as Locust's web page may have changed the options since the last one."""
    environment.load = Load(environment.parsed_options)


class Caller(User):
    """Calls again as soon as it is answered: --users is the concurrency."""

    wait_time = constant(0)

    @task
    def invoke(self):
        model, name = self.environment.load.next_model()
        event = {"request_type": "invoke", "name": name, "response_length": 0, "exception": None, "context": {}}
        start = time.perf_counter()
        try:
            event["response_length"] = len(self.environment.load.invoke(model))
        except (ClientError, BotoCoreError) as error:
            event["exception"] = told(error)
        event["response_time"] = 1000 * (time.perf_counter() - start)
        self.environment.events.request.fire(**event)


def told(error):
    """Locust counts failures by their text: with a model's name in it each would be another one."""
    if isinstance(error, ClientError):
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return RuntimeError(f"{status} {error.response['Error']['Code']}")
    return RuntimeError(type(error).__name__)
