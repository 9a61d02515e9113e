import { CloudWatchError } from './cloudwatch-error.ts';
import type { Fields } from './fields.ts';
import type { Answer, AnswerFields } from './operation.ts';
import type { HttpAnswer, Protocol } from './protocol.ts';

const NAMESPACE = 'http://monitoring.amazonaws.com/doc/2010-08-01/';
/** Deeper than any of the operations needs, and too little to overflow anything. */
const MAX_DEPTH = 12;

/** AWS Query, which boto3 spoke before it spoke JSON: a form goes in, XML comes out. Times are ISO 8601. */
export const queryProtocol: Protocol = {
  decode: ({ headers, url, body }) => {
    const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false;
    const query = url.includes('?') ? url.slice(url.indexOf('?') + 1) : '';
    const form = new URLSearchParams(isForm ? body.toString() : query);
    const operation = form.get('Action');
    return operation === null ? undefined : { operation, input: () => parseForm(form) };
  },

  encode: (operation, answer, requestId) => {
    const content = Object.keys(answer).length === 0 ? {} : { [`${operation}Result`]: answer };
    return xml(200, `${operation}Response`, { ...content, ResponseMetadata: { RequestId: requestId } });
  },

  encodeError: (error, requestId) =>
    // An unknown action is 400 here and 404 in JSON.
    xml(error.code === 'InvalidAction' ? 400 : error.status, 'ErrorResponse', {
      Error: {
        Type: error.status < 500 ? 'Sender' : 'Receiver',
        Code: error.code,
        Message: error.message,
      },
      RequestId: requestId,
    }),
};

interface Tree {
  value: string | undefined;
  readonly children: Map<string, Tree>;
}

const createTree = (): Tree => ({ value: undefined, children: new Map() });

/** `MetricData.member.1.MetricName=x` is the name of the first of a list. */
const parseForm = (form: URLSearchParams): Fields => {
  const root = createTree();
  for (const [path, value] of form) {
    const parts = path.split('.');
    if (parts.length > MAX_DEPTH)
      throw new CloudWatchError('MalformedInput', `The parameter ${path} is too deep.`);
    let tree = root;
    for (const part of parts) {
      const child = tree.children.get(part) ?? createTree();
      tree.children.set(part, child);
      tree = child;
    }
    tree.value = value;
  }
  return toFields(root);
};

const toFields = ({ children }: Tree): Fields =>
  Object.fromEntries([...children].map(([name, child]) => [name, toValue(child)]));

const toValue = (tree: Tree): unknown => {
  if (tree.children.size === 0) return tree.value;
  const members = tree.children.get('member');
  if (members === undefined) return toFields(tree);
  return [...members.children].sort(([a], [b]) => Number(a) - Number(b)).map(([, child]) => toValue(child));
};

const xml = (status: number, root: string, content: AnswerFields): HttpAnswer => ({
  status,
  headers: { 'content-type': 'text/xml' },
  body: `<${root} xmlns="${NAMESPACE}">${toXml(content)}</${root}>`,
});

const toXml = (answer: Answer): string => {
  if (answer === undefined) return '';
  if (answer instanceof Date) return answer.toISOString();
  if (isList(answer)) return answer.map((member) => `<member>${toXml(member)}</member>`).join('');
  if (typeof answer !== 'object') return escapeText(String(answer));
  return Object.entries(answer satisfies AnswerFields)
    .map(([name, value]) => (value === undefined ? '' : `<${name}>${toXml(value)}</${name}>`))
    .join('');
};

const isList = (answer: Answer): answer is readonly Answer[] => Array.isArray(answer);

const escapeText = (text: string): string =>
  text.replaceAll(/[&<>"\r]/g, (character) => `&#${character.charCodeAt(0)};`);
