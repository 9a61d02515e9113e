import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { ROOT } from '../../deploy/inputs.ts';

/** Actions of IAM that are named otherwise than the command of the SDK that needs them (Service Authorization Reference). */
const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  's3:HeadObject': ['s3:GetObject'],
  's3:ListObjectsV2': ['s3:ListBucket'],
  's3:ListObjectVersions': ['s3:ListBucketVersions'],
  // The source may be a version.
  's3:CopyObject': ['s3:GetObject', 's3:GetObjectVersion', 's3:PutObject'],
};

/** Without it S3 answers 403 for an object that is not there (GetObject, "Permissions"). */
const ALSO: Readonly<Record<string, string>> = { 's3:GetObject': 's3:ListBucket' };

const IMPORT = /(?:^|\n)\s*(import|export)\s+(type\s)?([^;]*?)from\s+'(\.[^']+)'|import\('(\.[^']+)'\)/g;

/** Every file that a function loads, by the imports of its handler; those of types alone are none. */
export const filesOf = (functionName: string): readonly string[] => {
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    const text = readFileSync(join(ROOT, path), 'utf8');
    for (const [, , isType, , from, later] of text.matchAll(IMPORT)) {
      if (isType === undefined) visit(relative(ROOT, join(ROOT, dirname(path), from ?? later ?? '')));
    }
  };
  visit(`functions/${functionName}/handler.ts`);
  return [...seen];
};

/** What a file asks of AWS, as IAM names it: commands of the SDK, calls of the table, and the actions of signed requests. */
export const actionsIn = (text: string): readonly string[] => {
  const services = new Map<string, string>();
  for (const [, names = '', service = ''] of text.matchAll(
    /import \{([^}]*)\} from '@aws-sdk\/client-([\w-]+)'/g,
  )) {
    for (const name of names.split(',')) services.set(name.trim(), service);
  }
  const commands = [...text.matchAll(/new (\w+)Command\(/g)].map(
    ([, name = '']) => `${services.get(`${name}Command`)}:${name}`,
  );
  const table = [...text.matchAll(/\btable\.call\(\s*'(\w+)'/g)].map(([, name]) => `dynamodb:${name}`);
  const signed = [...text.matchAll(/(?:action: |\bcall\()'(\w+:\w+)'/g)].map(([, action = '']) => action);
  const named = [...commands, ...table, ...signed].flatMap((action) => ACTIONS[action] ?? [action]);
  return [...new Set(named.flatMap((action) => [action, ALSO[action] ?? action]))].sort();
};

/** Everything that a function asks of AWS. */
export const actionsOf = (functionName: string): readonly string[] => {
  const all = filesOf(functionName).flatMap((path) => actionsIn(readFileSync(join(ROOT, path), 'utf8')));
  return [...new Set(all)].sort();
};
