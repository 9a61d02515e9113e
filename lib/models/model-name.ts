import { ServingError } from '../errors.ts';

const MAX_LENGTH = 1024;
const ENDINGS = ['.tar.gz', '.onnx'];

/**
 * Checks a TargetModel: 1 to 1,024 characters that start with no white space (botocore, sagemaker-runtime
 * 2017-05-13), the key of an artifact below the models prefix. A name that could leave the prefix, or hide in a
 * log, is refused.
 * @throws ServingError ValidationError
 */
export const parseModelName = (name: string): string => {
  const problem = findProblem(name);
  if (problem === undefined) return name;
  const shown = JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}...` : name);
  throw new ServingError('ValidationError', `TargetModel ${shown} ${problem}`);
};

/** Whether an object of this name is a model, and not something else that lies among them. */
export const isModelName = (name: string): boolean => findProblem(name) === undefined;

const findProblem = (name: string): string | undefined => {
  if (name.length > MAX_LENGTH) return `has ${name.length} characters: at most ${MAX_LENGTH} are allowed`;
  if (/^\s/.test(name)) return 'starts with white space: leave it out';
  if (/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(name)) return 'has control characters: leave them out';
  if (name.startsWith('/')) return 'starts with a slash: name the key below the models prefix, without one';
  if (name.split('/').includes('..')) return 'has a ".." segment: name the key below the models prefix';
  if (!ENDINGS.some((ending) => name.endsWith(ending))) {
    return `should end in ${ENDINGS.join(' or ')}, as the artifact in S3 does`;
  }
  return undefined;
};
