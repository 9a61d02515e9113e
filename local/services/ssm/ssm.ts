import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../../lib/clock.ts';
import { readBody } from '../../read-body.ts';

interface Parameter {
  readonly value: string;
  readonly type: 'String' | 'SecureString';
  readonly version: number;
  readonly modifiedMs: number;
}

interface Input {
  readonly Name?: string;
  readonly Value?: string;
  readonly Type?: string;
  readonly Overwrite?: boolean;
}

export interface SsmOptions {
  /** Where parameters are kept, readable by their owner only. Unlike AWS's they are not encrypted. */
  readonly file: string;
  readonly now: Clock;
  readonly onError: (error: unknown) => void;
}

const TARGET = 'AmazonSSM.';
const MAX_BYTES = 64 * 1024;

class SsmError extends Error {
  readonly type: string;
  readonly status: number;

  constructor(type: string, message: string, status = 400) {
    super(message);
    this.type = type;
    this.status = status;
  }
}

/** SSM's parameters, as far as the master key needs them: PutParameter and GetParameter (awsJson1.1). */
export const createSsm = ({ file, now, onError }: SsmOptions) => {
  const parameters = new Map<string, Parameter>(readFile(file));

  const operations: Readonly<Record<string, (input: Input) => object>> = {
    GetParameter({ Name = '' }) {
      const found = parameters.get(Name);
      if (found === undefined) throw new SsmError('ParameterNotFound', `Parameter ${Name} not found.`);
      const { value, type, version, modifiedMs } = found;
      return {
        Parameter: { Name, Type: type, Value: value, Version: version, LastModifiedDate: modifiedMs / 1000 },
      };
    },
    PutParameter({ Name = '', Value = '', Type = 'String', Overwrite = false }) {
      const before = parameters.get(Name);
      if (before !== undefined && !Overwrite) {
        throw new SsmError('ParameterAlreadyExists', `The parameter already exists: ${Name}`);
      }
      if (!/^[\w./-]{1,1011}$/.test(Name)) throw new SsmError('ValidationException', `bad name: ${Name}`);
      const type = Type === 'SecureString' ? Type : 'String';
      const version = (before?.version ?? 0) + 1;
      parameters.set(Name, { value: Value, type, version, modifiedMs: now() });
      writeFileSync(`${file}.new`, JSON.stringify([...parameters]), { mode: 0o600 });
      renameSync(`${file}.new`, file);
      return { Version: version, Tier: 'Standard' };
    },
  };

  const answer = async (request: IncomingMessage): Promise<object> => {
    const target = String(request.headers['x-amz-target'] ?? '');
    const operation = target.startsWith(TARGET) ? operations[target.slice(TARGET.length)] : undefined;
    if (operation === undefined) {
      throw new SsmError(
        'UnknownOperationException',
        `The local SSM has GetParameter and PutParameter, not ${target}`,
      );
    }
    const body = await readBody(request, MAX_BYTES);
    if (body === undefined) throw new SsmError('ValidationException', 'the request is too large');
    return operation(parseInput(body));
  };

  return {
    handle: (request: IncomingMessage, response: ServerResponse): void => {
      answer(request).then(
        (result) => send(response, 200, result),
        (error: unknown) => {
          if (!(error instanceof SsmError)) onError(error);
          const { type, message, status } =
            error instanceof SsmError ? error : new SsmError('InternalServerError', 'internal failure', 500);
          send(response, status, { __type: type, message });
        },
      );
    },
  };
};

const send = (response: ServerResponse, status: number, body: object): void => {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
};

const parseInput = (body: Buffer): Input => {
  try {
    return JSON.parse(body.toString()) as Input;
  } catch {
    throw new SsmError('SerializationException', 'the body is not JSON');
  }
};

const readFile = (file: string): readonly (readonly [string, Parameter])[] => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as readonly (readonly [string, Parameter])[];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
};
