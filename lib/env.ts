type Environment = Readonly<Record<string, string | undefined>>;

export interface EnvReader {
  /** A value that must be there. */
  text(name: string): string;
  optionalText(name: string, fallback: string): string;
  /** A whole number within bounds; `fallback` only when the variable is absent. */
  integer(name: string, bounds: { min: number; max: number; fallback?: number }): number;
  /** One of some values; `fallback` only when the variable is absent. */
  oneOf<Value extends string>(name: string, values: readonly Value[], fallback: Value): Value;
  /** `true` or `false`. */
  flag(name: string, fallback: boolean): boolean;
  /** Parts between commas, without empty ones. */
  list(name: string): readonly string[];
}

/** A variable that is missing or out of bounds; the message names it. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

/**
 * Reads a function's configuration. Meant for the init phase, where a throw surfaces as an init error
 * that names the variable, instead of as a strange answer to the first caller.
 */
export const readEnv = (env: Environment): EnvReader => {
  const text = (name: string): string => {
    const value = env[name];
    if (value === undefined || value === '') {
      throw new ConfigurationError(`environment variable ${name} is missing: set it in serverless.yml`);
    }
    return value;
  };

  return {
    text,
    optionalText: (name, fallback) => env[name] || fallback,
    integer: (name, { min, max, fallback }) => {
      const raw = env[name] === undefined || env[name] === '' ? fallback : Number(text(name));
      if (raw === undefined || !Number.isInteger(raw) || raw < min || raw > max) {
        throw new ConfigurationError(
          `environment variable ${name} must be a whole number from ${min} to ${max}, but is ${JSON.stringify(env[name])}`,
        );
      }
      return raw;
    },
    oneOf: (name, values, fallback) => {
      const value = env[name] || fallback;
      const found = values.find((each) => each === value);
      if (found !== undefined) return found;
      throw new ConfigurationError(
        `environment variable ${name} must be one of ${values.join(', ')}, but is ${JSON.stringify(value)}`,
      );
    },
    flag: (name, fallback) => {
      const value = env[name] || String(fallback);
      if (value === 'true' || value === 'false') return value === 'true';
      throw new ConfigurationError(
        `environment variable ${name} must be true or false, but is ${JSON.stringify(env[name])}`,
      );
    },
    list: (name) =>
      (env[name] ?? '')
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
  };
};
