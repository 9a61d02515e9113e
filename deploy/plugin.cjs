const { execFile } = require('node:child_process');
const { createHash } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { promisify } = require('node:util');
const existingBucket = require('./existing-bucket.cjs');
const { findPreviousDeployment } = require('./previous-deployment.cjs');
const { releaseWorkers } = require('./release-workers.cjs');
const { stayLocal } = require('./stay-local.cjs');

const ALIAS = 'live';

/**
 * SageMaker's callers wait for 60 s, an HTTP API's for 30: the router answers each in time. The framework sees the second when it looks at
 * routes, of whose function it would warn.
 */
const FUNCTION_URL_TIMEOUT_SECONDS = 65;
const HTTP_API_TIMEOUT_SECONDS = 29;

const OPEN_ROUTES = new Set([
  'GET /ping',
  'GET /v2',
  'GET /v2/health/live',
  'GET /v2/health/ready',
  'GET /openapi.json',
]);

/** What this project adds to the framework: its build, the alias `live`, an `invoke local` that stays local, and ends that leave nothing paid behind. */
module.exports = class LambdaMme {
  constructor(serverless, options, { log }) {
    this.serverless = serverless;
    this.options = options;
    this.log = log;
    const command = serverless.processedInput.commands.join(' ');
    // Before anything of the framework looks for credentials.
    if (command === 'invoke local') stayLocal(serverless.serviceDir, log);

    this.hooks = {
      'before:package:createDeploymentArtifacts': () => this.build(),
      'before:package:compileLayers': () => command === 'package' && this.packageLayersOffline(),
      'before:package:compileFunctions': () => {
        this.openFunctionUrl();
        this.nameAliases();
        this.nameDeployment();
      },
      'after:package:compileFunctions': () => {
        // Not earlier: versions are named after what they are made of.
        this.serverless.service.functions.router.timeout = HTTP_API_TIMEOUT_SECONDS;
        this.addAliases();
        this.allowTracing();
      },
      'after:package:compileEvents': () => this.authorizeByIam(),
      'after:aws:package:finalize:mergeCustomProviderResources': () =>
        command === 'deploy' && this.findBucket(),
      'after:deploy:deploy': async () => {
        await this.adoptBucket();
        this.sayWhatIsNext();
      },
      'before:invoke:local:invoke': () => this.build(),
      'before:rollback:rollback': () => this.chooseRollback(),
      'before:remove:remove': () => this.releaseWorkers(),
      'after:remove:remove': () => this.sayWhatStays(),
    };
  }

  /** In a process of its own: a failed build must not leave esbuild's helper holding the framework open. */
  async build() {
    const script = join(__dirname, 'build.ts');
    const { architecture } = this.serverless.service.provider;
    await promisify(execFile)(process.execPath, [script, architecture]).catch(({ stderr, message }) => {
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
    hash.update(JSON.stringify([functions, provider.environment, provider.architecture]));
    functions.scaler.environment.DEPLOYMENT = hash.digest('hex').slice(0, 12);
  }

  /** As a parameter it is text, which the framework's own setting does not take. */
  openFunctionUrl() {
    const { functions, provider, custom } = this.serverless.service;
    if (String(custom.functionUrl) !== 'true') return;
    functions.router.timeout = FUNCTION_URL_TIMEOUT_SECONDS;
    functions.router.url = provider.environment.AUTHENTICATION === 'iam' ? { authorizer: 'aws_iam' } : true;
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

  /** With X-Ray a function's role must let Lambda hand in its traces; neither action knows resources. */
  allowTracing() {
    const { provider } = this.serverless.service;
    if (provider.tracing?.lambda !== 'Active') return;
    const statement = {
      Effect: 'Allow',
      Action: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
      Resource: '*',
    };
    for (const { Type, Properties } of Object.values(provider.compiledCloudFormationTemplate.Resources)) {
      if (Type === 'AWS::IAM::Role') Properties.Policies[0].PolicyDocument.Statement.push(statement);
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

  async findBucket() {
    const { compiledCloudFormationTemplate: template, environment } = this.serverless.service.provider;
    const bucket = environment.MODELS_BUCKET;
    this.isBucketForeign = await existingBucket
      .isForeign(this.serverless.getProvider('aws'), bucket)
      .catch(({ message }) => {
        throw new this.serverless.classes.Error(`Nothing was deployed: ${message}`);
      });
    if (this.isBucketForeign) existingBucket.leaveOut(template, bucket);
  }

  async adoptBucket() {
    await existingBucket.tellOfEvents(this.serverless.getProvider('aws'), this.bucketAndQueue());
    if (!this.isBucketForeign) return;
    this.log.notice(
      `Bucket ${this.bucketAndQueue().bucket} was there already: it serves as it is, with its own settings, and the stack will not change or delete it`,
    );
  }

  sayWhatIsNext() {
    const { AUTHENTICATION, ENDPOINT_NAME } = this.serverless.service.provider.environment;
    const stage = this.serverless.getProvider('aws').getStage();
    const calls = {
      keys: `callers need a key: npx mme keys create --stage ${stage}`,
      iam: 'callers need execute-api:Invoke and lambda:InvokeFunctionUrl of IAM',
      none: 'authentication is off: whoever knows the address may call',
    };
    this.log.notice(`Endpoint ${ENDPOINT_NAME}; ${calls[AUTHENTICATION]} (docs/deploy.md)`);
  }

  bucketAndQueue() {
    const { service, provider } = this.serverless.service;
    const { MODELS_BUCKET: bucket, MODELS_PREFIX: prefix } = provider.environment;
    const stage = this.serverless.getProvider('aws').getStage();
    return { bucket, prefix, queueName: `${service}-${stage}-object-events` };
  }

  /** Without a timestamp, to the deployment before the last. */
  async chooseRollback() {
    const { processedInput, service } = this.serverless;
    const { options } = processedInput;
    if (options.timestamp) return;
    const timestamp = await findPreviousDeployment(this.serverless.getProvider('aws'), service.service).catch(
      ({ message }) => {
        throw new this.serverless.classes.Error(`Nothing was rolled back: ${message}`);
      },
    );
    this.options.timestamp = String(timestamp);
    this.log.notice(`Back to the deployment before the last one, of ${new Date(timestamp).toISOString()}`);
  }

  async releaseWorkers() {
    await existingBucket.tellNobody(this.serverless.getProvider('aws'), this.bucketAndQueue());
    const names = this.serverless.service.getAllFunctions();
    const nameOf = (name) => this.serverless.service.getFunction(name).name;
    const released = await releaseWorkers(this.serverless.getProvider('aws'), {
      scaler: nameOf('scaler'),
      groups: names.filter((name) => /^(cold|hot)-\d+$/.test(name)).map(nameOf),
    });
    if (released > 0) this.log.notice(`Workers were released in ${released} places`);
  }

  /** What is kept, as it may be wanted and is not in the way of a new deployment. */
  sayWhatStays() {
    const { MODELS_BUCKET, MASTER_KEY_PARAMETER } = this.serverless.service.provider.environment;
    this.log.notice(
      `Kept: bucket ${MODELS_BUCKET} with all models and their versions, and SSM parameter ${MASTER_KEY_PARAMETER}. ` +
        'docs/deploy.md says how to delete them, and how to deploy onto them again.',
    );
  }

  naming() {
    return this.serverless.getProvider('aws').naming;
  }
};
