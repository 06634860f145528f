<?php
// The story of a declared collection.

declare(strict_types=1);

use Stuff\Api\BooksApi;
use Stuff\Model\Book;
use Stuff\Model\BookFields;
use Stuff\Model\BookMedium;
use Stuff\Model\BookPatch;
use Stuff\Model\BookPerson;
use Stuff\Model\BookPublisher;
use Stuff\Model\BookPublisherAddress;
use Stuff\Model\BookPublisherAddressPatch;
use Stuff\Model\BookPublisherPatch;
use Stuff\ObjectSerializer;

/** What is sent of a model. */
function fields(object $model): array
{
    return json_decode(json_encode(ObjectSerializer::sanitizeForSerialization($model)), true);
}

$books = new BooksApi($client, $configuration);

$notes = new BookFields([
    'id' => 'L-7',
    'title' => 'Notes',
    'subtitle' => 'On the Analytical Engine',
    'year' => 1843,
    'language' => BookFields::LANGUAGE_EN,
    'published' => new DateTime('1843-09-01'),
    'bought' => new DateTime('2026-11-23T12:30:00Z'),
    'authors' => [new BookPerson(['name' => 'Ada Lovelace', 'born' => 1815])],
    'chapters' => [['A', 'B'], []],
    'publisher' => new BookPublisher([
        'name' => 'Taylor',
        'address' => new BookPublisherAddress(['city' => 'London']),
    ]),
    'medium' => new BookMedium(['form' => BookMedium::FORM_PAPER, 'pages' => 66]),
    'ratings' => ['Babbage' => 4.5],
    'lent' => false,
]);
[, $status, $headers] = $books->putBookWithHttpInfo('notes', $notes, if_none_match: '*');
check($status === 201, $status);

$book = $books->getBook('notes', meta: true);
check($book instanceof Book, $book);
check([$book->getDocumentId(), $book->getId()] === ['notes', 'L-7'], $book);
$stored = fields($book);
unset($stored['_stuff']);
check($stored === ['_id' => 'notes', ...fields($notes)], $stored, fields($notes));
$etag = '"' . $book->getStuff()->getEtag() . '"';
check($etag === $headers['etag'][0], $etag);

$wrong = new BookFields(['id' => '7', 'title' => ' Notes', 'year' => 1843]);
$problem = refused(422, fn () => $books->putBook('notes', $wrong));
check($problem->getType() === '/problems/schema-violation', $problem);
$faults = [];
foreach ($problem->getErrors() as $fault) {
    $faults[$fault->getPointer()] = $fault->getDetail() !== '';
}
ksort($faults);
check($faults === ['/id' => true, '/title' => true], $faults);

// What is null is removed, what is not named stays.
$patch = new BookPatch([
    'subtitle' => null,
    'lent' => true,
    'publisher' => new BookPublisherPatch([
        'address' => new BookPublisherAddressPatch(['street' => 'Red Lion Court']),
    ]),
]);
$patched = $books->patchBook('notes', $patch, if_match: $etag);
check($patched->getSubtitle() === null && $patched->getLent(), $patched);
$address = ['city' => 'London', 'street' => 'Red Lion Court'];
check(fields($patched->getPublisher()) === ['name' => 'Taylor', 'address' => $address], $patched);
check($patched->getMedium() == $book->getMedium(), $patched);

refused(412, fn () => $books->putBook('notes', $notes, if_match: $etag));

$other = $books->createBook(new BookFields(['title' => 'Passages', 'year' => 1864]))->getDocumentId();
[$titles, $after] = [[], null];
do {
    $page = $books->listBooks(sort: 'year', limit: 1, after: $after);
    foreach ($page->getItems() as $item) {
        $titles[] = $item->getTitle();
    }
} while (($after = $page->getNext()) !== null);
check($titles === ['Notes', 'Passages'], $titles);

foreach (['notes', $other] as $each) {
    [, $status] = $books->deleteBookWithHttpInfo($each);
    check($status === 204, $status);
}
