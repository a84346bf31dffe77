/** Keys of langgraph.json about building images. */
export const forBuilding = [
  "dependencies",
  "node_version",
  "node_loader",
  "python_version",
  "dockerfile_lines",
  "docker_compose_file",
  "base_image",
  "image_distro",
  "api_version",
  "pip_config_file",
  "pip_installer",
  "keep_pkg_tools",
  "source",
];
/** Keys that are nobody's concern but an editor's, or the official tool's own. */
export const ofTools = ["$schema", "_INTERNAL_docker_tag"];

/** The keys of a part of langgraph.json that nobody here reads. */
export function unreadKeys(given: object, read: string[], prefix = ""): string[] {
  return Object.keys(given)
    .filter((key) => !read.includes(key))
    .map((key) => prefix + key);
}
