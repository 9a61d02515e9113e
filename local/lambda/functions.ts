import type { FunctionConfig } from './function-config.ts';
import { resolveVersion } from './function-config.ts';
import { notFound } from './lambda-error.ts';
import type { Pool } from './pool.ts';

export interface DeployedFunction {
  /** Its aliases may change. */
  readonly config: FunctionConfig;
  readonly pool: Pool;
}

/** The functions of the account, and where their aliases point now. */
export class Functions {
  readonly #byName: Map<string, DeployedFunction>;

  constructor(all: readonly DeployedFunction[]) {
    this.#byName = new Map(all.map((each) => [each.config.name, each]));
  }

  get all(): readonly DeployedFunction[] {
    return [...this.#byName.values()];
  }

  /** @throws LambdaError ResourceNotFoundException. */
  find(functionName: string, qualifier?: string): DeployedFunction & { readonly version: string } {
    const found = this.#byName.get(functionName);
    const version = found && resolveVersion(found.config, qualifier);
    if (found === undefined || version === undefined) {
      const name = qualifier === undefined ? functionName : `${functionName}:${qualifier}`;
      throw notFound(`Function not found: ${name}`);
    }
    return { ...found, version };
  }

  /** @throws LambdaError ResourceNotFoundException for a version that does not exist. */
  pointAlias(functionName: string, alias: string, version: string): FunctionConfig {
    const { config, pool } = this.find(functionName, alias);
    if (version !== '$LATEST' && !config.versions.includes(version)) {
      throw notFound(`Function not found: ${functionName}:${version}`);
    }
    const changed = { ...config, aliases: { ...config.aliases, [alias]: version } };
    this.#byName.set(functionName, { config: changed, pool });
    pool.provisioned.move(alias, version);
    return changed;
  }
}
