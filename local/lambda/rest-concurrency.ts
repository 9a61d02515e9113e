import { invalidParameter } from './lambda-error.ts';
import type { RestApiOptions } from './rest-api.ts';
import {
  type Answer,
  type Asked,
  json,
  noContent,
  type Operation,
  operation,
  path,
  readObject,
} from './rest-route.ts';

/** Lambda's own bounds, which nothing here enforces. */
const CODE_SIZES = {
  TotalCodeSize: 300 * 1024 ** 3,
  CodeSizeUnzipped: 250 * 1024 ** 2,
  CodeSizeZipped: 50 * 1024 ** 2,
};

/** Reserved concurrency, and what the account has left. */
export const concurrencyOperations = ({ functions, account }: RestApiOptions): readonly Operation[] => {
  const put = async ({ name, request }: Asked): Promise<Answer> => {
    functions.find(name);
    const { ReservedConcurrentExecutions: count } = await readObject(request);
    if (typeof count !== 'number' || !Number.isInteger(count) || count < 0) {
      throw invalidParameter(
        `ReservedConcurrentExecutions should be a whole number, but is ${String(count)}`,
      );
    }
    account.reserve(name, count);
    return json({ ReservedConcurrentExecutions: count });
  };

  const get = ({ name }: Asked): Answer => {
    functions.find(name);
    const count = account.reservedOf(name);
    return json(count === undefined ? {} : { ReservedConcurrentExecutions: count });
  };

  const remove = ({ name }: Asked): Answer => {
    functions.find(name);
    account.unreserve(name);
    return noContent;
  };

  const getAccountSettings = (): Answer =>
    json({
      AccountLimit: {
        ...CODE_SIZES,
        ConcurrentExecutions: account.limit,
        UnreservedConcurrentExecutions: account.unreserved,
      },
      AccountUsage: { FunctionCount: functions.all.length },
    });

  return [
    operation('PUT', path('2017-10-31', '/concurrency'), put),
    operation('GET', path('2019-09-30', '/concurrency'), get),
    operation('DELETE', path('2017-10-31', '/concurrency'), remove),
    operation('GET', /^\/2016-08-19\/account-settings\/?$/, getAccountSettings),
  ];
};
