/** The kinds of second factor, the stronger first. */
export const METHODS = ["webauthn", "otp", "sms"] as const;
export type Method = (typeof METHODS)[number];

type Enrolled = { type: Method; verifiedAt: Date | null };

/** The methods the user has a verified device of, the stronger first. */
export function configuredMethods(devices: readonly Enrolled[]): Method[] {
  return METHODS.filter((method) =>
    devices.some(({ type, verifiedAt }) => type === method && verifiedAt !== null),
  );
}

/** The user's phone, if it is verified. */
export function verifiedPhone<D extends Enrolled>(devices: readonly D[]): D | undefined {
  return devices.find(({ type, verifiedAt }) => type === "sms" && verifiedAt !== null);
}

/** Whether the device is the only verified one of the method that logins start with. */
export function isLastOfDefault(
  deviceId: string,
  chosen: Method | null,
  devices: readonly (Enrolled & { id: string })[],
): boolean {
  const method = effectiveDefault(chosen, devices);
  const verified = devices.filter(({ type, verifiedAt }) => type === method && verifiedAt !== null);
  return verified.length === 1 && verified[0]?.id === deviceId;
}

/** The method a login starts with: the chosen default if it is configured, else the strongest. */
export function effectiveDefault(
  chosen: Method | null,
  devices: readonly Enrolled[],
): Method | undefined {
  const configured = configuredMethods(devices);
  return configured.find((method) => method === chosen) ?? configured[0];
}
