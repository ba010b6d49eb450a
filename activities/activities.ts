import type { Clock, Config } from "../config.ts";
import type { MailGateway } from "../providers/mail/mail.ts";
import type { SmsGateway } from "../providers/sms/sms.ts";
import type { Db } from "../store/postgres/connect.ts";
import type { Redis } from "../store/redis/connect.ts";
import { type Log, withoutSecrets } from "./failures.ts";
import { settlementActivities } from "./finish-enrollment.ts";
import { loginActivities } from "./logins.ts";
import { noticeActivities } from "./notify.ts";
import { policyActivities } from "./policy.ts";
import { removalActivities } from "./removal.ts";
import { deliveryActivities } from "./send-codes.ts";
import { webhookActivities } from "./webhooks.ts";

export type Deps = {
  db: Db;
  redis: Redis;
  sms: SmsGateway;
  /** Undefined where mails go nowhere. */
  mail?: MailGateway;
  config: Config;
  clock: Clock;
  log: Log;
};

/** Everything the workflows do to the world; each may run more than once and then changes nothing more. */
export function createActivities(deps: Deps) {
  return withoutSecrets(deps.log, {
    ...deliveryActivities(deps),
    ...loginActivities(deps),
    ...noticeActivities(deps),
    ...policyActivities(deps),
    ...removalActivities(deps),
    ...settlementActivities(deps),
    ...webhookActivities(deps),
  });
}

export type Activities = ReturnType<typeof createActivities>;
