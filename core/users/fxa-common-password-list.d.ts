/** Mozilla's list of common passwords. `test` looks up a whole password. */
declare module "fxa-common-password-list" {
  const list: { test(password: string): boolean };
  export default list;
}
