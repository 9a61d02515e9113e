import { type Area, type HostileCase, invoke } from './case.ts';
import { utf8 } from './wire.ts';

const TARGET = 'x-amzn-sagemaker-target-model';

type Named = readonly [what: string, name: string];

const named =
  (where: string, who: 'tenant' | 'admin', status: number, type: string) =>
  ([what, name]: Named): HostileCase => ({
    name: `${where}: ${what}, asked by the ${who}`,
    speaker: 'sagemaker',
    status,
    type,
    send: (ground) => invoke(ground, { headers: { [TARGET]: name, 'x-api-key': ground[who].apiKey } }),
  });

/** Names that no model can have, whoever asks. */
const impossible: readonly Named[] = [
  ['nothing', ''],
  ['dots', '../tenant-7/iris.tar.gz'],
  ['dots alone', '..'],
  ['dots in the middle', 'tenant-7/../tenant-8/iris.tar.gz'],
  ['dots at the end', 'tenant-7/iris.tar.gz/..'],
  ['many dots', `${'../'.repeat(100)}etc/passwd.tar.gz`],
  ['an absolute path', '/etc/passwd'],
  ['an absolute model', '/tenant-7/iris.tar.gz'],
  ['two slashes before', '//tenant-7/iris.tar.gz'],
  ['a URL', 'http://169.254.169.254/x'],
  ['no ending', 'tenant-7/iris'],
  ['another ending', 'tenant-7/iris.zip'],
  ['an ending in capitals', 'tenant-7/iris.TAR.GZ'],
  ['an ending and a slash', 'tenant-7/iris.tar.gz/'],
  ['an ending and a query', 'tenant-7/iris.tar.gz?versionId=1'],
  ['an ending and a fragment', 'tenant-7/iris.tar.gz#x'],
  ['an ending and a semicolon', 'tenant-7/iris.tar.gz;x'],
  ['an ending and a space of no width', utf8('tenant-7/iris.tar.gz\u200b')],
  ['an ending in full width', utf8('tenant-7/iris．tar．gz')],
  ['a space of no break before', utf8('\u00a0tenant-7/iris.tar.gz')],
  ['a BOM before', utf8('\ufefftenant-7/iris.tar.gz')],
  ['a line separator', utf8('tenant-7/\u2028iris.tar.gz')],
  ['a control character of the upper half', utf8('tenant-7/\u0085iris.tar.gz')],
  ['a tab', 'tenant-7/\tiris.tar.gz'],
  ['1,025 characters', `tenant-7/${'a'.repeat(1009)}.tar.gz`],
  ['5,000 characters', `tenant-7/${'a'.repeat(5000)}.tar.gz`],
];

/** Names that somebody's model could have, and that are not this tenant's. */
const foreign: readonly Named[] = [
  ['the model of another tenant', 'tenant-8/iris.tar.gz'],
  ['a model of nobody in particular', 'diabetes-0001.tar.gz'],
  ['the same tenant in capitals', 'TENANT-7/iris.tar.gz'],
  ['the same tenant behind a dot', './tenant-7/iris.tar.gz'],
  ['the same tenant behind the prefix', 'models/tenant-7/iris.tar.gz'],
  ['the same tenant by its object', 's3://lambda-mme-dev-models/models/tenant-7/iris.tar.gz'],
  ['a look-alike of the tenant', utf8('tеnant-7/iris.tar.gz')],
  ['the tenant in full width', utf8('ｔｅｎａｎｔ-7/iris.tar.gz')],
  ['a slash of full width', utf8('tenant-7／iris.tar.gz')],
  ['a slash of fractions', utf8('tenant-7⁄iris.tar.gz')],
  ['a backslash', 'tenant-7\\iris.tar.gz'],
  ['backslashes and dots', '..\\tenant-7\\iris.tar.gz'],
  ['a drive', 'C:\\models\\iris.tar.gz'],
  ['a share', '\\\\host\\share\\iris.tar.gz'],
  ['an escaped slash', 'tenant-7%2Firis.tar.gz'],
  ['escaped dots', '%2e%2e/tenant-7/iris.tar.gz'],
  ['a slash as in paths', 'tenant-7~1iris.tar.gz'],
  ['a pattern', '*.tar.gz'],
  ['a pattern of one letter', 'tenant-?/iris.tar.gz'],
  ['an ending alone', '.tar.gz'],
  ['the other ending alone', '.onnx'],
  ['latin1', 't\xe9nant-7/iris.tar.gz'],
  ['the name of a prototype', '__proto__.tar.gz'],
  ['markup', '<script>alert(1)</script>.tar.gz'],
  ['a shell', '$(id).tar.gz'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what an attacker writes
  ['a look-up', '${jndi:ldap://127.0.0.1/a}.tar.gz'],
  ['SQL', "' OR 1=1 --.tar.gz"],
  ['two models', 'tenant-8/iris.tar.gz,tenant-7/iris.tar.gz'],
];

/** A key has 1,024 bytes with the prefix, a name 1,024 characters without. */

/** Names below what this tenant may call, of which there is no model. */
const absent: readonly Named[] = [
  ['no such model', 'tenant-7/none.tar.gz'],
  ['another case', 'tenant-7/IRIS.tar.gz'],
  ['a folder that is itself', 'tenant-7/./iris.tar.gz'],
  ['two slashes', 'tenant-7//iris.tar.gz'],
  ['the folder alone', 'tenant-7/.tar.gz'],
  ['a space behind the stem', 'tenant-7/iris .tar.gz'],
  ['a letter from right to left', utf8('tenant-7/\u202eiris.tar.gz')],
  ['a look-alike', utf8('tenant-7/іris.tar.gz')],
  ['a letter of no width', utf8('tenant-7/ir\u200bis.tar.gz')],
  ['a decomposed letter', utf8('tenant-7/i\u0308ris.tar.gz')],
  ['latin1', 'tenant-7/\xefris.tar.gz'],
  ['an emoji', utf8('tenant-7/🌸.tar.gz')],
  ['both endings', 'tenant-7/iris.tar.gz.onnx'],
  ['the other ending', 'tenant-7/iris.onnx'],
  ['escaped dots', 'tenant-7/%2e%2e/tenant-8/iris.tar.gz'],
  ['backslashes and dots', 'tenant-7/..\\tenant-8\\iris.tar.gz'],
  ['three dots', 'tenant-7/.../tenant-8/iris.tar.gz'],
  ['dots of full width', utf8('tenant-7/．．/tenant-8/iris.tar.gz')],
  ['a query before the ending', 'tenant-7/iris?x=.tar.gz'],
  ['a plus', 'tenant-7/iris+.tar.gz'],
  ['a percent sign', 'tenant-7/%.tar.gz'],
  ['an ampersand, as of XML', 'tenant-7/&lt;a&amp;.tar.gz'],
  ['the name of a prototype', 'tenant-7/__proto__.tar.gz'],
  ['a segment of 300 characters', `tenant-7/${'a'.repeat(300)}.tar.gz`],
  ['as many characters as there may be', `tenant-7/${'a'.repeat(1008)}.tar.gz`],
  ['as many characters as there may be, of three bytes', utf8(`tenant-7/${'語'.repeat(1008)}.tar.gz`)],
  ['300 folders', `tenant-7/${'a/'.repeat(300)}iris.tar.gz`],
];

export const modelNameCases: Area = {
  area: 'names of models',
  cases: [
    ...impossible.map(named('not a name', 'tenant', 400, 'ValidationError')),
    ...foreign.map(named('foreign', 'tenant', 403, 'AccessDeniedException')),
    ...foreign.slice(2).map(named('of nobody', 'admin', 400, 'ValidationError')),
    ...absent.map(named('absent', 'tenant', 400, 'ValidationError')),
  ],
};
