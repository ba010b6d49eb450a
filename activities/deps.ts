import type { Clock, Config } from "../config.ts";
import type { MailGateway } from "../providers/mail/mail.ts";
import type { SmsGateway } from "../providers/sms/sms.ts";
import type { Db } from "../store/postgres/connect.ts";
import type { Redis } from "../store/redis/connect.ts";
import type { Log } from "./failures.ts";

/** What activities need; made once by the worker, or by a test. */
export type ActivityDeps = {
  db: Db;
  redis: Redis;
  sms: SmsGateway;
  /** Undefined if the service cannot send mails. */
  mail?: MailGateway;
  config: Config;
  clock: Clock;
  log: Log;
};
