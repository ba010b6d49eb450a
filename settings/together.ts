import { isKeyOf } from "./certificates.ts";
import type { SettingState } from "./check.ts";
import type { Environment, SettingName } from "./groups.ts";

/** Settings that a feature needs, by the setting that turns it on. */
const NEEDED: {
  by: (env: Partial<Environment>) => boolean | undefined;
  names: SettingName[];
  of: string;
}[] = [
  {
    by: ({ SMS_GATEWAY }) => SMS_GATEWAY?.includes("twilio"),
    names: ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM"],
    of: "SMS_GATEWAY=twilio",
  },
  {
    by: ({ SMS_GATEWAY }) => SMS_GATEWAY?.includes("smpp"),
    names: ["SMPP_URL", "SMPP_FROM"],
    of: "SMS_GATEWAY=smpp",
  },
  { by: ({ SMTP_URL }) => SMTP_URL !== undefined, names: ["MAIL_FROM"], of: "SMTP_URL" },
  {
    by: ({ TEMPORAL_TLS_CERT }) => TEMPORAL_TLS_CERT !== undefined,
    names: ["TEMPORAL_TLS_KEY"],
    of: "TEMPORAL_TLS_CERT",
  },
  {
    by: ({ TEMPORAL_TLS_KEY }) => TEMPORAL_TLS_KEY !== undefined,
    names: ["TEMPORAL_TLS_CERT"],
    of: "TEMPORAL_TLS_KEY",
  },
];

/** Without TLS these would do nothing, and the API key would cross the network unencrypted. */
const NEED_TLS: SettingName[] = [
  "TEMPORAL_TLS_CA",
  "TEMPORAL_TLS_CERT",
  "TEMPORAL_TLS_KEY",
  "TEMPORAL_TLS_SERVER_NAME",
  "TEMPORAL_API_KEY",
];

const NO_OUTBOX =
  "outbox reaches no phone, so it is refused in production. Name your SMS providers (smpp, twilio, or both: docs/sms.md), or set NODE_ENV=development on a machine for development.";

/** Adds what is wrong with settings together. */
export function checkTogether(states: Map<string, SettingState>): void {
  const add = (name: SettingName, fault: string) => {
    const state = states.get(name);
    if (state && !state.fault) state.fault = fault;
  };
  const env = valuesOf(states);
  for (const { by, names, of } of NEEDED)
    for (const name of by(env) ? names : [])
      if (env[name] === undefined) add(name, `is required by ${of}`);
  if (env.NODE_ENV === "production" && env.SMS_GATEWAY?.includes("outbox"))
    add("SMS_GATEWAY", NO_OUTBOX);
  const { WEBAUTHN_RP_ID: rpId, WEBAUTHN_ORIGINS: asking, PUBLIC_URL } = env;
  if (asking && !rpId && !PUBLIC_URL) add("WEBAUTHN_RP_ID", "is required by WEBAUTHN_ORIGINS");
  if (rpId && !asking && !PUBLIC_URL) add("WEBAUTHN_ORIGINS", "is required by WEBAUTHN_RP_ID");
  const needsTls = NEED_TLS.find((name) => env[name] !== undefined);
  if (needsTls && env.TEMPORAL_TLS === false) add("TEMPORAL_TLS", `${needsTls} needs true`);
  const { TEMPORAL_TLS_CERT: certificate, TEMPORAL_TLS_KEY: privateKey } = env;
  if (certificate && privateKey && !isKeyOf(privateKey, certificate))
    add("TEMPORAL_TLS_KEY", "is not the key of TEMPORAL_TLS_CERT");
}

/** The values of settings that are right. */
export const valuesOf = (states: Map<string, SettingState>) =>
  Object.fromEntries([...states].map(([name, { value }]) => [name, value])) as Partial<Environment>;
