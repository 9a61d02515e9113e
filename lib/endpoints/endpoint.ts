/** What clients call by name: the models below a prefix of the bucket's models. */
export interface Endpoint {
  readonly name: string;
  /** Below the deployment's models prefix; empty or ends with `/`. */
  readonly prefix: string;
  /** Of its one production variant, as its configuration names it. */
  readonly variant: string;
  /** Where answers of asynchronous calls go; absent: below `async/` of the deployment's bucket. */
  readonly asyncOutput?: string;
}

/** Port. The endpoints that CreateEndpoint has made, by name; the deployment's own is none of them. */
export interface EndpointStore {
  find(name: string): Promise<Endpoint | undefined>;
}

/** All endpoints: those that were made, and the deployment's own. */
export interface Endpoints extends EndpointStore {
  readonly own: string;
}

/** SageMaker names the only variant so. */
export const ALL_TRAFFIC = 'AllTraffic';

/** The endpoint that a deployment has without anybody creating it: all of its models. */
export const deployedEndpoint = (name: string): Endpoint => ({ name, prefix: '', variant: ALL_TRAFFIC });
