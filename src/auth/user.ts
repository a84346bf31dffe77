/** Who somebody is, as auth describes them: graphs find this in their configurable. */
export interface User {
  identity: string;
  permissions: string[];
  display_name: string;
  is_authenticated: boolean;
  [field: string]: unknown;
}
