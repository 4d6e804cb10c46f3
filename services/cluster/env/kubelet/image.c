#include "services/cluster/env/kubelet/image.h"

#include "base/auto.h"
#include "base/mem.h"
#include "services/cluster/env/object.h"

#include <glob.h>
#include <string.h>
#include <sys/stat.h>

struct images {
    json_t *list;
    char *bundles;
};

images_t *images_new(const json_t *list, const char *bundles)
{
    images_t *self = xcalloc(1, sizeof(*self));
    self->list = json_deep_copy(list);
    self->bundles = xstrdup(bundles);
    return self;
}

void images_destroy(images_t **self_p)
{
    images_t *self = *self_p;
    if (!self)
        return;
    json_decref(self->list);
    free(self->bundles);
    free(self);
    *self_p = NULL;
}

static const char *without_registry(const char *name)
{
    static const char *const defaults[] = {"docker.io/library/", "docker.io/"};
    for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
        if (strncmp(name, defaults[i], strlen(defaults[i])) == 0)
            return name + strlen(defaults[i]);
    }
    return name;
}

static bool has_tag(const char *name)
{
    const char *slash = strrchr(name, '/');
    return strchr(slash ? slash : name, ':') != NULL;
}

/* The letters of each part; where separators may stand is not looked at so closely. */
bool images_is_name(const char *name)
{
    static const char of_repository[] = "abcdefghijklmnopqrstuvwxyz0123456789._-/";
    static const char of_rest[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:@+";
    const char *slash = strrchr(name, '/');
    const char *last = slash ? slash : name;
    size_t registry = strcspn(name, "/");
    const char *path =
        name[registry] == '/' && memchr(name, ':', registry) ? name + registry + 1 : name;
    size_t repository = strspn(path, of_repository);
    const char *rest = path + repository;
    return repository > 0 && rest >= last && (!*rest || *rest == ':' || *rest == '@')
           && strspn(rest, of_rest) == strlen(rest) && (!*rest || rest[1])
           && path[repository - 1] != '/' && *path != '/';
}

/* "redis" is docker.io/library/redis:latest, "shop/geo:1" docker.io/shop/geo:1; a first part with a
 * dot, a colon or "localhost" is a registry. */
char *images_reference(const char *name)
{
    size_t first = strcspn(name, "/");
    bool has_registry = name[first] == '/'
                        && (memchr(name, '.', first) || memchr(name, ':', first)
                            || strncmp(name, "localhost/", 10) == 0);
    const char *registry = has_registry         ? ""
                           : name[first] == '/' ? "docker.io/"
                                                : "docker.io/library/";
    return xasprintf("%s%s%s", registry, name, has_tag(name) ? "" : ":latest");
}

const json_t *images_find(const images_t *self, const char *name)
{
    const char *plain = without_registry(name);
    AUTO_FREE char *wanted = xasprintf("%s%s", plain, has_tag(plain) ? "" : ":latest");
    size_t i;
    json_t *image;
    json_array_foreach(self->list, i, image)
    {
        if (strcmp(object_string(image, "image"), wanted) == 0)
            return image;
    }
    return NULL;
}

char *images_bundle(const images_t *self, const json_t *image)
{
    const char *bundle = object_string(image, "bundle");
    return *bundle ? xasprintf("%s/%s", self->bundles, bundle) : NULL;
}

int64_t images_size(const images_t *self, const json_t *image)
{
    AUTO_FREE char *bundle = images_bundle(self, image);
    AUTO_FREE char *pattern = xasprintf("%s/bin/*", bundle ? bundle : "");
    AUTO(globfree) glob_t found = {0};
    int64_t size = 0;
    if (bundle)
        (void)glob(pattern, 0, NULL, &found); /* an empty one has no size */
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct stat info;
        size += stat(found.gl_pathv[i], &info) == 0 ? info.st_size : 0;
    }
    return size;
}
