/** What the deployment has to set; the construct that deploys the function takes this type. */
export { type DevicesEnv as ReconcilerEnv, devicesEnv as reconcilerEnv } from '../mitigator/env.ts';
