import type { Clock, Config } from "../../config.ts";
import type { Redis } from "../../store/redis/connect.ts";
import { inOrder } from "./in-order.ts";
import { outboxGateway } from "./outbox.ts";
import { smppGateway } from "./smpp.ts";
import type { DeliveryReport, Log, SmsGateway } from "./sms.ts";
import { twilioGateway } from "./twilio.ts";

type SmsDeps = {
  config: Config;
  redis: Redis;
  clock: Clock;
  log: Log;
  /** Called with a provider's later reports. Twilio reports to the API instead. */
  onReport(report: DeliveryReport): Promise<unknown>;
};

/** The configured providers as one gateway. `close` closes their connections. */
export function configuredSms(deps: SmsDeps): SmsGateway & { close(): Promise<void> } {
  const { config, redis, clock, log, onReport } = deps;
  const closing: (() => Promise<void>)[] = [];
  const make = {
    outbox: () => outboxGateway(redis, clock),
    twilio: () => twilioGateway(config),
    smpp: () => {
      const { SMPP_URL = "", SMPP_FROM = "", limits } = config;
      const smpp = smppGateway({ url: SMPP_URL, from: SMPP_FROM, limits, redis, log, onReport });
      closing.push(smpp.close);
      return smpp;
    },
  };
  const providers = config.SMS_GATEWAY.map((name) => ({ name, gateway: make[name]() }));
  return {
    ...inOrder(providers, log),
    close: async () => void (await Promise.all(closing.map((close) => close()))),
  };
}
