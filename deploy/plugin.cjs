const { execFile } = require('node:child_process');
const { createHash } = require('node:crypto');
const { mkdirSync, readFileSync, rmSync } = require('node:fs');
const { join, resolve } = require('node:path');
const { promisify } = require('node:util');

const ALIAS = 'live';

const OPEN_ROUTES = new Set([
  'GET /ping',
  'GET /v2',
  'GET /v2/health/live',
  'GET /v2/health/ready',
  'GET /openapi.json',
]);

/** What this project adds to the framework: its build, the alias `live`, and an `invoke local` that stays local. */
module.exports = class LambdaMme {
  constructor(serverless, _options, { log }) {
    this.serverless = serverless;
    this.log = log;
    const command = serverless.processedInput.commands.join(' ');
    // Before anything of the framework looks for credentials.
    if (command === 'invoke local') this.stayLocal();

    this.hooks = {
      'before:package:createDeploymentArtifacts': () => this.build(),
      'before:package:compileLayers': () => command === 'package' && this.packageLayersOffline(),
      'before:package:compileFunctions': () => {
        this.nameAliases();
        this.nameDeployment();
      },
      'after:package:compileFunctions': () => this.addAliases(),
      'after:package:compileEvents': () => this.authorizeByIam(),
      'before:invoke:local:invoke': () => this.build(),
    };
  }

  /** In a process of its own: a failed build must not leave esbuild's helper holding the framework open. */
  async build() {
    const script = join(__dirname, 'build.ts');
    await promisify(execFile)(process.execPath, [script]).catch(({ stderr, message }) => {
      throw new this.serverless.classes.Error(`The build failed:\n${stderr || message}`);
    });
  }

  /**
   * While packaging, the framework asks CloudFormation whether the layer is deployed already, only to save an
   * upload. `package` uploads nothing, and must work without an account.
   */
  packageLayersOffline() {
    const { plugins } = this.serverless.pluginManager;
    const layers = plugins.find((plugin) => typeof plugin.compareWithLastLayer === 'function');
    if (layers) layers.compareWithLastLayer = async () => {};
  }

  /** The framework points routes, schedules and permissions at `targetAlias` where it finds one. */
  nameAliases() {
    for (const name of this.serverless.service.getAllFunctions()) {
      const logicalId = `${this.naming().getNormalizedFunctionName(name)}LiveAlias`;
      this.serverless.service.getFunction(name).targetAlias = { name: ALIAS, logicalId };
    }
  }

  /** The scaler looks at versions again when this changes: with the code, and with what the functions are given. */
  nameDeployment() {
    const { functions, provider } = this.serverless.service;
    const hash = createHash('sha256').update(readFileSync(join(__dirname, '..', 'dist', 'key')));
    hash.update(JSON.stringify([functions, provider.environment]));
    functions.scaler.environment.DEPLOYMENT = hash.digest('hex').slice(0, 12);
  }

  addAliases() {
    const { Resources } = this.serverless.service.provider.compiledCloudFormationTemplate;
    for (const name of this.serverless.service.getAllFunctions()) {
      const { targetAlias, versionLogicalId } = this.serverless.service.getFunction(name);
      Resources[targetAlias.logicalId] = {
        Type: 'AWS::Lambda::Alias',
        Properties: {
          FunctionName: { Ref: this.naming().getLambdaLogicalId(name) },
          FunctionVersion: { 'Fn::GetAtt': [versionLogicalId, 'Version'] },
          Name: targetAlias.name,
        },
      };
    }
  }

  /** With `authentication: iam` API Gateway asks IAM about every caller, but for what tells nothing of any model. */
  authorizeByIam() {
    const { provider } = this.serverless.service;
    if (provider.environment.AUTHENTICATION !== 'iam') return;
    for (const { Type, Properties } of Object.values(provider.compiledCloudFormationTemplate.Resources)) {
      if (Type !== 'AWS::ApiGatewayV2::Route' || OPEN_ROUTES.has(Properties.RouteKey)) continue;
      Properties.AuthorizationType = 'AWS_IAM';
    }
  }

  /**
   * `invoke local` runs the function in this process, with this process's environment: without care its calls
   * would reach the user's real account, and its files the user's real /tmp. So it talks to the local cloud when
   * that runs, else to a port where nobody listens, and gets a temporary folder of its own.
   */
  stayLocal() {
    const directory = resolve(this.serverless.serviceDir, process.env.LOCAL_DIR || '.local');
    const endpoint = readEndpoint(directory);
    if (endpoint === undefined) {
      this.log.notice(
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
  }

  naming() {
    return this.serverless.getProvider('aws').naming;
  }
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
