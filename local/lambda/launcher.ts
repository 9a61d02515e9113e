import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Environment, type EnvironmentOptions } from './environment.ts';
import type { FunctionConfig } from './function-config.ts';
import type { LogFile } from './log-file.ts';

export interface LauncherOptions {
  readonly config: FunctionConfig;
  /** Folder under which environments get their private /tmp. */
  readonly scratchRoot: string;
  readonly compileCache: string;
  readonly log: LogFile;
  /** What an environment prints to stdout, in chunks as they come. */
  readonly onOutput: (environmentId: string, text: string) => void;
  readonly onOutputEnded: (environmentId: string) => void;
  readonly onInvoke?: EnvironmentOptions['onInvoke'];
}

export type Launch = Pick<
  EnvironmentOptions,
  'version' | 'provisioned' | 'onReady' | 'onExit' | 'onSoonFree'
>;

/** Starts the environments of one function, and knows each of them until it and its /tmp are gone. */
export class Launcher {
  readonly #options: LauncherOptions;
  readonly #living = new Set<Environment>();

  constructor(options: LauncherOptions) {
    this.#options = options;
  }

  start(launch: Launch): Environment {
    const { config, scratchRoot, compileCache, log, onOutput, onOutputEnded, onInvoke } = this.#options;
    const id = randomUUID();
    const environment = new Environment({
      ...launch,
      config,
      id,
      scratch: join(scratchRoot, id),
      compileCache,
      log,
      onOutput: (text) => onOutput(id, text),
      onOutputEnded: () => onOutputEnded(id),
      onInvoke,
    });
    this.#living.add(environment);
    void environment.gone.then(() => this.#living.delete(environment));
    return environment;
  }

  /** Ends all that live, and waits for those that are on their way out already. */
  async close(): Promise<void> {
    await Promise.all([...this.#living].map((environment) => environment.end()));
    this.#options.log.close();
  }
}
