const GONE = new Set(['ResourceNotFoundException', 'ProvisionedConcurrencyConfigNotFoundException']);

/**
 * Ends what is paid by the hour before the stack is removed, so that a removal that fails half-way leaves no bill: first the scaler is
 * held still, which would bring workers back, then every provisioned concurrency is deleted.
 * @returns how many were deleted
 */
module.exports.releaseWorkers = async (provider, { scaler, groups }) => {
  const {
    DeleteProvisionedConcurrencyConfigCommand,
    LambdaClient,
    paginateListProvisionedConcurrencyConfigs,
    PutFunctionConcurrencyCommand,
  } = require('@aws-sdk/client-lambda');
  const client = new LambdaClient(await provider.getAwsSdkV3Config());

  const unlessGone = async (work) => {
    try {
      return await work();
    } catch (error) {
      if (!GONE.has(error.name)) throw error;
      return undefined;
    }
  };

  await unlessGone(() =>
    client.send(new PutFunctionConcurrencyCommand({ FunctionName: scaler, ReservedConcurrentExecutions: 0 })),
  );
  let released = 0;
  for (const FunctionName of groups) {
    await unlessGone(async () => {
      for await (const page of paginateListProvisionedConcurrencyConfigs({ client }, { FunctionName })) {
        for (const { FunctionArn = '' } of page.ProvisionedConcurrencyConfigs ?? []) {
          const Qualifier = FunctionArn.split(':').at(-1);
          await client.send(new DeleteProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier }));
          released++;
        }
      }
    });
  }
  return released;
};
