"""GLSL of the stylised renderer: one short program per material.

A software rasteriser runs both sides of every branch, so materials do not share a program.
Colours are squared to near-linear light on the way in; the square root brings them back.
"""

from __future__ import annotations

_HEADER = "#version 330\n"

VERTEX = (
    _HEADER
    + """
in vec3 in_position; in vec3 in_normal;
in vec4 in_parameters; in vec3 in_extra; in vec2 in_shade;
uniform mat3 rotation; uniform vec3 translation, body_shift;
uniform float focal, half_pixel, bias, near, far;
out vec3 normal, position, extra, local_normal; out vec4 parameters; out float occlusion;
void main() {
  vec3 head = rotation * in_position + translation;
  vec3 world = mix(in_position + body_shift, head, in_shade.y);
  normal = mix(in_normal, rotation * in_normal, in_shade.y);
  extra = in_extra; parameters = in_parameters; occlusion = in_shade.x;
  local_normal = in_normal; position = world;
  float depth = 10.0 - world.z, biased = depth + bias;
  float z = (far + near) / (far - near) - 2.0 * far * near / ((far - near) * biased);
  gl_Position = vec4(world.xy * focal + half_pixel * depth, z * depth, depth);
}
"""
)

_LIGHT = """
in vec3 normal, position, extra, local_normal; in vec4 parameters; in float occlusion;
uniform vec3 light, key_colour, sky, ground; uniform float rim; uniform mat3 rotation;
out vec4 colour;
vec3 to_light(vec3 c) { return c * c; }
vec3 ambient(vec3 n) { return mix(ground, sky, 0.5 + 0.5 * n.y); }
float edge(float x) { float w = fwidth(x) + 1e-6; return clamp(x / w + 0.5, 0.0, 1.0); }
void finish(vec3 c) {
  c = 1.18 * c / (1.0 + 0.30 * c);
  colour = vec4(sqrt(clamp(c, 0.0, 1.0)), 1.0);
}
"""

_NOISE = """
float hash(float x) { return fract(sin(x * 91.3458) * 4753.5453); }
float hash2(vec2 p) { return fract(sin(dot(p, vec2(41.31, 289.17))) * 3758.5453); }
float ripple(float x) {
  float i = floor(x), f = fract(x);
  return mix(hash(i), hash(i + 1.0), f * f * (3.0 - 2.0 * f));
}
"""

SKIN_FRAGMENT = (
    _HEADER
    + _LIGHT
    + _NOISE
    + """
uniform vec3 skin, lip, beard_colour;
uniform float blush, freckles, gloss, lash;
void main() {
  vec3 n = normalize(normal), v = normalize(vec3(0.0, 0.0, 10.0) - position);
  float facing = dot(n, v); n = facing < 0.0 ? -n : n; facing = abs(facing);
  vec3 base = to_light(skin);
  float rosy = blush * clamp(parameters.z, 0.0, 1.0);
  base *= mix(vec3(1.0), vec3(1.06, 0.66, 0.62), rosy * 0.60);
  if (freckles > 0.0) {
    vec2 cell = extra.xy * 34.0, id = floor(cell);
    vec2 spot = vec2(hash2(id), hash2(id + 7.7)) * 0.7 + 0.15;
    float size = 0.10 + 0.22 * hash2(id + 3.1);
    float where = clamp(parameters.z * 1.6, 0.0, 1.0);
    float dot_ = smoothstep(size, size * 0.4, length(fract(cell) - spot));
    base *= 1.0 - 0.34 * freckles * where * dot_ * step(0.35, hash2(id + 1.3));
  }
  float red = smoothstep(-0.007, 0.006, parameters.x);
  base = mix(base, to_light(lip), red * 0.92);
  float strand = ripple(extra.x * 95.0 + 4.0 * extra.y) * 0.6 + 0.4 * ripple(extra.x * 230.0);
  float hairy = parameters.w;
  base = mix(base, to_light(beard_colour) * (0.65 + 0.6 * strand), hairy * 0.92);
  float lid = parameters.y;
  float line = smoothstep(lash + 0.005, lash - 0.004, lid);
  base = mix(base, vec3(0.010, 0.006, 0.006), line * 0.94);
  float along = dot(n, light);
  vec3 wrap = vec3(0.42, 0.27, 0.23);
  vec3 lit = clamp((along + wrap) / (1.0 + wrap), 0.0, 1.0); lit *= lit * 0.35 + 0.65;
  vec3 c = base * (key_colour * lit * (0.45 + 0.55 * occlusion) + ambient(n) * occlusion);
  c *= mix(vec3(1.0, 0.80, 0.76), vec3(1.0), occlusion);
  vec3 h = normalize(light + v);
  float shine = max(dot(n, h), 0.0);
  float smooth_ = 1.0 - 0.8 * hairy;
  c += key_colour * (0.050 * pow(shine, 14.0) + 0.030 * pow(shine, 48.0)) * smooth_ * occlusion;
  c += key_colour * red * gloss * (0.10 * pow(shine, 30.0) + 0.30 * pow(shine, 110.0));
  float fresnel = pow(1.0 - facing, 3.0);
  c += rim * fresnel * (0.25 + 0.75 * clamp(n.y * 0.6 + 0.5, 0.0, 1.0)) * (base * 0.7 + 0.06) * occlusion;
  finish(c);
}
"""
)

EYE_FRAGMENT = (
    _HEADER
    + _LIGHT
    + _NOISE
    + """
uniform vec3 iris; uniform vec2 aperture; uniform float iris_size, pupil_size;
void main() {
  vec3 here = normalize(local_normal);
  vec2 place = pow(abs(here.xy) / aperture, vec2(1.65));
  if (place.x + place.y > 1.0 || here.z < 0.0) discard;
  vec3 d = normalize(parameters.xyz), n = normalize(normal);
  float angle = acos(clamp(d.z, -1.0, 1.0));
  float lit = clamp(dot(n, light) * 0.55 + 0.45, 0.0, 1.0);
  vec3 light_here = key_colour * lit * 0.72 + ambient(n) * 0.86;
  float lid_shadow = mix(0.66, 1.0, smoothstep(0.52, 0.16, here.y));
  lid_shadow *= mix(0.86, 1.0, smoothstep(0.75, 0.55, length(here.xy)));
  vec3 white = mix(vec3(0.90, 0.86, 0.85), vec3(0.80, 0.66, 0.63), smoothstep(0.50, 0.95, length(here.xy)));
  float inside = edge(iris_size - angle);
  float r = clamp(angle / iris_size, 0.0, 1.0);
  float turn = atan(d.y, d.x);
  float fibre = ripple(turn * 9.0 + 20.0) * 0.6 + ripple(turn * 21.0 + 60.0) * 0.4;
  vec3 base = to_light(iris);
  vec3 tint = mix(base * 1.55 + 0.035, base * 0.42, smoothstep(0.35, 0.98, r));
  tint *= 0.80 + 0.40 * fibre * smoothstep(0.4, 0.7, r);
  vec2 low = d.xy / max(iris_size, 0.1);
  tint *= 0.72 + 1.05 * smoothstep(0.35, -0.85, low.y) * smoothstep(1.05, 0.55, r);
  tint *= mix(1.0, 0.22, smoothstep(0.84, 1.0, r));
  tint = mix(tint, vec3(0.004), edge(iris_size * pupil_size - angle));
  vec3 c = mix(white, tint, inside) * light_here * lid_shadow;
  vec3 gaze_world = rotation * here;
  vec2 glint = gaze_world.xy - light.xy * vec2(0.30, 0.26) - vec2(0.0, 0.09);
  c = mix(c, vec3(1.25), smoothstep(0.125, 0.095, length(glint)) * 0.96);
  vec2 second = gaze_world.xy + light.xy * vec2(0.30, 0.30) + vec2(0.0, 0.06);
  c += 0.30 * smoothstep(0.075, 0.030, length(second));
  finish(c);
}
"""
)

HAIR_FRAGMENT = (
    _HEADER
    + _LIGHT
    + _NOISE
    + """
uniform vec3 hair;
void main() {
  vec3 n = normalize(normal), v = normalize(vec3(0.0, 0.0, 10.0) - position);
  bool inner = !gl_FrontFacing; n = inner ? -n : n;
  float u = parameters.x, along = parameters.y, rough = parameters.z;
  float bend = 0.5 * ripple(along * 2.3 + 3.0 * ripple(u * 2.0 + 40.0));
  float x = u * 13.0 + bend + 200.0;
  float fine = ripple(x * 5.3), coarse = ripple(x * 1.45);
  float streak = 0.55 * coarse + 0.45 * fine;
  float coil = ripple(u * 31.0 + 2.0 * ripple(along * 19.0) + 100.0)
    * ripple(along * 37.0 + 3.0 * ripple(u * 17.0 + 60.0));
  streak = mix(streak, 0.20 + 1.1 * coil, rough * 0.75);
  vec3 t = normalize(extra - n * dot(extra, n));
  vec3 side = cross(n, t);
  float slope = (ripple((x + 0.12) * 1.45) - coarse) * 1.9 + (ripple((x + 0.03) * 5.3) - fine) * 0.8;
  n = normalize(n + side * slope * (1.0 - rough) * 0.75);
  vec3 base = to_light(hair) * (0.70 + 0.62 * streak);
  float diffuse = clamp(dot(n, light) * 0.72 + 0.28, 0.0, 1.0);
  float open = inner ? 0.30 : occlusion;
  vec3 c = base * (key_colour * diffuse * (0.25 + 0.75 * open) + ambient(n) * open);
  vec3 h = normalize(light + v);
  float th = dot(t + n * (0.14 * (streak - 0.5) - 0.30), h);
  float sheen = sqrt(max(1.0 - th * th, 0.0));
  float lobe = pow(sheen, 90.0) * (0.35 + 0.65 * streak) * smoothstep(-0.1, 0.5, dot(n, light));
  float broad = pow(sheen, 14.0) * clamp(dot(n, h), 0.0, 1.0);
  vec3 shine = lobe * (base * 1.0 + 0.075) * 0.9 + broad * (base * 0.35 + 0.012);
  c += key_colour * open * (1.0 - 0.75 * rough) * shine;
  c += rim * pow(1.0 - abs(dot(n, v)), 3.0) * (base * 0.8 + 0.035) * open;
  finish(c);
}
"""
)

PLAIN_FRAGMENT = (
    _HEADER
    + _LIGHT
    + """
void main() {
  vec3 n = normalize(normal), v = normalize(vec3(0.0, 0.0, 10.0) - position);
  n = dot(n, v) < 0.0 ? -n : n;
  vec3 base = to_light(parameters.rgb);
  float diffuse = clamp(dot(n, light) * 0.70 + 0.30, 0.0, 1.0);
  vec3 c = base * (key_colour * diffuse + ambient(n)) * occlusion;
  vec3 h = normalize(light + v);
  c += key_colour * parameters.w * 0.45 * pow(max(dot(n, h), 0.0), 40.0);
  c += rim * 0.6 * pow(1.0 - abs(dot(n, v)), 3.0) * base;
  finish(c);
}
"""
)

IDENTIFY_FRAGMENT = (
    _HEADER
    + """
in vec3 normal, position, extra, local_normal; in vec4 parameters; in float occlusion;
uniform int first, material; uniform float mouth_b; uniform vec2 aperture;
out vec4 colour;
void main() {
  if (material == 1) {
    vec3 here = normalize(local_normal);
    vec2 place = pow(abs(here.xy) / aperture, vec2(1.65));
  if (place.x + place.y > 1.0 || here.z < 0.0) discard;
  }
  int id = gl_PrimitiveID + first + 1, code = 0;
  if (material == 0) {
    if (extra.z > 0.5) code = 1;
    if (parameters.x > 0.0) code = extra.y > mouth_b ? 2 : 3;
  }
  colour = vec4(float(id & 255), float((id >> 8) & 255), float(code), 255.0) / 255.0;
}
"""
)

SCREEN_VERTEX = (
    _HEADER
    + """
in vec2 in_corner; out vec2 place;
void main() { place = in_corner; gl_Position = vec4(in_corner, 0.0, 1.0); }
"""
)

COPY_FRAGMENT = (
    _HEADER
    + """
uniform sampler2D picture; out vec4 colour;
void main() { colour = texelFetch(picture, ivec2(gl_FragCoord.xy), 0); }
"""
)

RESOLVE_FRAGMENT = (
    _HEADER
    + """
uniform sampler2D picture; out vec4 colour;
void main() {
  ivec2 p = 2 * ivec2(gl_FragCoord.xy);
  colour = 0.25 * (texelFetch(picture, p, 0) + texelFetch(picture, p + ivec2(1, 0), 0)
    + texelFetch(picture, p + ivec2(0, 1), 0) + texelFetch(picture, p + ivec2(1, 1), 0));
}
"""
)

BACKGROUND_FRAGMENT = (
    _HEADER
    + """
in vec2 place; out vec4 colour;
uniform vec3 first, second, third; uniform int kind; uniform float seed;
float hash(vec2 p) { return fract(sin(dot(p, vec2(127.1, 311.7)) + seed) * 43758.5453); }
float value(vec2 p) {
  vec2 i = floor(p), f = fract(p); f = f * f * (3.0 - 2.0 * f);
  return mix(mix(hash(i), hash(i + vec2(1, 0)), f.x), mix(hash(i + vec2(0, 1)), hash(i + 1.0), f.x), f.y);
}
void main() {
  vec3 c = first;
  float turn = seed * 6.2832;
  if (kind == 1) c = mix(first, second, smoothstep(-1.2, 1.2, dot(place, vec2(cos(turn), sin(turn)))));
  if (kind == 2) c = mix(first * 1.06, second, smoothstep(0.15, 1.55, length(place - vec2(0.0, 0.1))));
  if (kind == 3) {
    c = mix(first, second, smoothstep(-1.2, 1.2, place.y));
    for (int k = 0; k < 9; k++) {
      float f = float(k);
      vec2 centre = 2.4 * vec2(hash(vec2(f, 1.0)), hash(vec2(f, 2.0))) - 1.2;
      float size = 0.18 + 0.38 * hash(vec2(f, 3.0)), soft = 0.10 + 0.16 * hash(vec2(f, 4.0));
      float inside = smoothstep(size + soft, size - soft, length(place - centre));
      c = mix(c, mix(third, second * 1.12, hash(vec2(f, 5.0))), inside * 0.42);
    }
  }
  if (kind == 4) {
    vec2 p = place * 1.7 + seed * 17.0; float n = 0.0, weight = 0.55;
    for (int k = 0; k < 4; k++) { n += weight * value(p); p = p * 2.03 + 11.3; weight *= 0.5; }
    c = mix(first, mix(second, third, smoothstep(0.4, 0.9, n)), smoothstep(0.25, 0.75, n));
  }
  colour = vec4(clamp(c, 0.0, 1.0), 1.0);
}
"""
)
