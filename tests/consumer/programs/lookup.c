/* A library as many are: it answers by a callback, in threads of its own, in any order. */

#include <ctype.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef void (*reply_fn)(const void *user, uint64_t id, int status, const char *text);

struct question {
    struct lookup *lookup;
    uint64_t id;
    char *word;
    pthread_t thread;
    struct question *next;
};

struct lookup {
    reply_fn reply;
    const void *user;
    pthread_mutex_t lock;
    struct question *asked;
};

struct lookup *lookup_open(reply_fn reply, const void *user)
{
    struct lookup *lookup = malloc(sizeof *lookup);
    lookup->reply = reply;
    lookup->user = user;
    pthread_mutex_init(&lookup->lock, NULL);
    lookup->asked = NULL;
    return lookup;
}

/* The word in capitals. One that begins with '?' is unknown, and one with '.' gets no reply. */
static void *answer(void *argument)
{
    struct question *question = argument;
    struct lookup *lookup = question->lookup;
    char *word = question->word;
    if (*word == '?') {
        lookup->reply(lookup->user, question->id, 1, "no such word");
    } else if (*word != '.') {
        for (char *at = word; *at; at++)
            *at = (char)toupper((unsigned char)*at);
        lookup->reply(lookup->user, question->id, 0, word);
    }
    return NULL;
}

void lookup_ask(struct lookup *lookup, uint64_t id, const char *word)
{
    struct question *question = malloc(sizeof *question);
    question->lookup = lookup;
    question->id = id;
    question->word = strdup(word);
    pthread_create(&question->thread, NULL, answer, question);
    pthread_mutex_lock(&lookup->lock);
    question->next = lookup->asked;
    lookup->asked = question;
    pthread_mutex_unlock(&lookup->lock);
}

/* Returns when the last callback has. */
void lookup_close(struct lookup *lookup)
{
    while (lookup->asked) {
        struct question *question = lookup->asked;
        lookup->asked = question->next;
        pthread_join(question->thread, NULL);
        free(question->word);
        free(question);
    }
    pthread_mutex_destroy(&lookup->lock);
    free(lookup);
}
