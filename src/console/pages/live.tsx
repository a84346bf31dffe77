import { Page } from "../parts/page.tsx";

export default function Live() {
  return <Page title="Live">…</Page>;
}
