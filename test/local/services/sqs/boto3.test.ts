import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { startSqs } from './sqs-harness.ts';

const python = process.env['MME_PYTHON'];

const SCRIPT = `
import json, sys, boto3
from botocore.exceptions import ClientError

sqs = boto3.client("sqs", endpoint_url=sys.argv[1], region_name="us-east-1",
    aws_access_key_id="local", aws_secret_access_key="local")
dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
url = sqs.create_queue(QueueName="work", Attributes={
    "VisibilityTimeout": "60",
    "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5}),
})["QueueUrl"]
assert sqs.get_queue_url(QueueName="work")["QueueUrl"] == url
assert sqs.list_queues()["QueueUrls"] == [dead, url]

attributes = {"tenant": {"DataType": "String", "StringValue": "ä"}, "raw": {"DataType": "Binary", "BinaryValue": b"\\x00\\xff"}}
sqs.send_message(QueueUrl=url, MessageBody="hällo 😀", MessageAttributes=attributes)
batch = sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": str(n)} for n in range(3)])
assert len(batch["Successful"]) == 3 and "Failed" not in batch or batch["Failed"] == []

messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=20,
    MessageAttributeNames=["All"], AttributeNames=["All"])["Messages"]
assert [m["Body"] for m in messages] == ["hällo 😀", "0", "1", "2"], messages
assert messages[0]["MessageAttributes"]["raw"]["BinaryValue"] == b"\\x00\\xff"
assert messages[0]["Attributes"]["ApproximateReceiveCount"] == "1"
sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=messages[0]["ReceiptHandle"], VisibilityTimeout=120)
deleted = sqs.delete_message_batch(QueueUrl=url,
    Entries=[{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)])
assert len(deleted["Successful"]) == 4
assert "Messages" not in sqs.receive_message(QueueUrl=url)
sqs.purge_queue(QueueUrl=url)

def code(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"], type(error).__name__

answers = {
    "unknown": code(sqs.send_message, QueueUrl=url + "x", MessageBody="x"),
    "long": code(sqs.send_message, QueueUrl=url, MessageBody="x" * 1048577),
    "receipt": code(sqs.delete_message, QueueUrl=url, ReceiptHandle="x"),
    "purge": code(sqs.purge_queue, QueueUrl=url),
    "fifo": code(sqs.create_queue, QueueName="a.fifo", Attributes={"FifoQueue": "true"}),
}
print(json.dumps(answers))
`;

describe.skipIf(!python)('boto3, unchanged (MME_PYTHON names an interpreter that has it)', () => {
  it('uses every operation, and gets SQS’s own exceptions', async () => {
    const sqs = await startSqs();
    try {
      const { stdout } = await promisify(execFile)(python ?? '', ['-c', SCRIPT, sqs.url], {
        // No profile of whoever runs this.
        env: { PATH: process.env['PATH'], PYTHONUTF8: '1' },
      });

      expect(JSON.parse(stdout)).toEqual({
        unknown: ['AWS.SimpleQueueService.NonExistentQueue', 'QueueDoesNotExist'],
        long: ['InvalidParameterValue', 'ClientError'],
        receipt: ['ReceiptHandleIsInvalid', 'ReceiptHandleIsInvalid'],
        purge: ['AWS.SimpleQueueService.PurgeQueueInProgress', 'PurgeQueueInProgress'],
        fifo: ['AWS.SimpleQueueService.UnsupportedOperation', 'UnsupportedOperation'],
      });
      expect(sqs.errors).toEqual([]);
    } finally {
      await sqs.close();
    }
  });
});
