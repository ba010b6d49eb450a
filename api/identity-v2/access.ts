import { configuredMethods } from "../../store/methods.ts";
import type { MfaProfile } from "../../store/postgres/profiles.ts";
import type { Role } from "../../store/postgres/schema.ts";

/** Our authentication method names (those of RFC 8176 and our own) -> the protocol's. */
const AUTHENTICATED_BY: Record<string, string> = {
  pwd: "PASSWORD",
  api_key: "APIKEY",
  sms: "PASSCODE",
  otp: "OTPPASSCODE",
  recovery_code: "PASSCODE",
};

/** The protocol's roles, under ids that never change. */
const ROLES: Record<Role, { id: string; name: string; description: string }> = {
  administrator: {
    id: "8e7c1f0a5b9d4c62a3f1d0e4b6972c15",
    name: "identity:user-admin",
    description: "Administrator of the domain",
  },
  member: {
    id: "2d40b98c6e1f47a5b7c35a90d8e61f74",
    name: "identity:default",
    description: "User of the domain",
  },
  support: {
    id: "2d40b98c6e1f47a5b7c35a90d8e61f74",
    name: "identity:default",
    description: "User of the domain",
  },
};

/** The service has no regions, but clients expect one. */
export const REGION = "RegionOne";

type Opened = { token: string; amr: readonly string[]; expiresAt: string };

/** The response to a login and to the validation of a token. */
export function describeAccess({ user, account, devices }: MfaProfile, opened: Opened) {
  const { id, name } = account;
  return {
    access: {
      serviceCatalog: [],
      token: {
        id: opened.token,
        expires: opened.expiresAt,
        tenant: { id, name },
        "RAX-AUTH:authenticatedBy": opened.amr.flatMap((by) => AUTHENTICATED_BY[by] ?? []),
      },
      user: {
        id: user.id,
        name: user.username,
        email: user.email ?? "",
        "RAX-AUTH:domainId": id,
        "RAX-AUTH:defaultRegion": REGION,
        "RAX-AUTH:multiFactorEnabled": configuredMethods(devices).length > 0,
        roles: [{ ...ROLES[user.role], tenantId: id }],
      },
    },
  };
}
