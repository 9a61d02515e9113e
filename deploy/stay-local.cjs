const { mkdirSync, readFileSync, rmSync } = require('node:fs');
const { join, resolve } = require('node:path');

/**
 * `invoke local` runs the function in this process, with this process's environment: without care its calls
 * would reach the user's real account, and its files the user's real /tmp. So it talks to the local cloud when
 * that runs, else to a port where nobody listens, and gets a temporary folder of its own.
 */
module.exports.stayLocal = (serviceDir, log) => {
  const directory = resolve(serviceDir, process.env.LOCAL_DIR || '.local');
  const endpoint = readEndpoint(directory);
  if (endpoint === undefined) {
    log.notice(
      `No local cloud runs on ${directory}: start one with npm start, or name its folder with LOCAL_DIR. Until then calls to AWS are refused.`,
    );
  }

  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
  const temporary = join(directory, `invoke-local-${process.pid}`);
  mkdirSync(temporary, { recursive: true });
  process.once('exit', () => rmSync(temporary, { recursive: true, force: true }));
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: endpoint?.awsEndpointUrl ?? 'http://127.0.0.1:9',
    AWS_ACCESS_KEY_ID: endpoint?.accessKeyId ?? 'local',
    AWS_SECRET_ACCESS_KEY: endpoint?.secretAccessKey ?? 'local',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: join(temporary, 'none'),
    AWS_SHARED_CREDENTIALS_FILE: join(temporary, 'none'),
    TMPDIR: temporary,
  });
};

/** The running local cloud's answer sheet; it deletes the file when it stops, so a dead one's `pid` is checked. */
const readEndpoint = (directory) => {
  try {
    const endpoint = JSON.parse(readFileSync(join(directory, 'endpoint.json'), 'utf8'));
    process.kill(endpoint.pid, 0);
    return endpoint;
  } catch {
    return undefined;
  }
};
